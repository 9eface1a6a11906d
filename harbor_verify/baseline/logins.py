"""Whether those who could sign in before still can: logins that a user hands over, a session and a token of before."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harbor_verify.baseline.file import replacing
from harbor_verify.baseline.judgement import ABSENT, Context, Said, broken, expected, suspicious
from harbor_verify.clients import token_service
from harbor_verify.clients.harbor import Credentials, Session, basic
from harbor_verify.clients.http import expect
from harbor_verify.errors import AnswerError, SettingsError
from harbor_verify.model.roles import Role
from harbor_verify.model.upgrades import Entry, Item, Unread
from harbor_verify.target import Target

_GIVEN = Path(".session")
_TIMEOUT_SETTING = "session_timeout"
_DEFAULT_TIMEOUT_MIN = 60


@dataclass(frozen=True)
class Kept:
    """A session and a token that were made before the upgrade; as good as the password while they live."""

    user: str
    cookie: str = field(repr=False)
    token: str = field(repr=False)
    made: float
    """Unix time."""
    token_ends: float
    """Unix time, as the token says; 0: it does not."""


def given(path: Path | None) -> dict[str, str]:
    """Passwords by the name of a user or robot, of a file of JSON. Raises SettingsError, and tells no password."""
    if path is None:
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        # The text is not told: json's message does not hold it.
        raise SettingsError(f"--logins {path} cannot be read: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(each, str) for each in document.values()):
        raise SettingsError(f'--logins {path}: it is to hold {{"NAME": "PASSWORD", …}}')
    return document


def entries(target: Target, logins: Mapping[str, str]) -> Iterator[Item]:
    """By name: whether the password is taken."""
    for name, password in logins.items():
        try:
            yield Entry(name, _is_let_in(target, Credentials(name, password)))
        except AnswerError as silence:
            yield Unread(name, str(silence))


def rule(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    """Of one login."""
    if before is ABSENT and now is False:
        yield suspicious(
            "its password is refused", "It was not tried when the baseline was kept: is it right?"
        )
    elif before is True and now is False:
        yield broken(
            "its password worked before, and is refused now",
            "See whether the user or robot is disabled, gone or made anew, and whether robot_name_prefix or auth_mode "
            "is another; a Harbor older than the one that hashed a password cannot check it",
        )
    elif before is False and now is True:
        yield expected("its password was refused before, and works now")


def keep(target: Target, baseline: Path) -> Path:
    """Make a session and a token of the administrator's, and keep them beside the baseline, for its owner's eyes only.

    Raises AnswerError, SettingsError.
    """
    session = target.front_door.sign_in(target.credentials)
    token = token_service.fetch(target.front_door.http, target.credentials)
    place = place_of(baseline)
    document = {
        "user": session.user,
        "cookie": session.cookie,
        "token": token.text,
        "made": time.time(),
        "token_ends": float(token.claims.get("exp") or 0),
    }
    with replacing(place) as stream:
        json.dump(document, stream)
    return place


def place_of(baseline: Path) -> Path:
    """Where the session of a baseline is."""
    return baseline.with_name(f"{baseline.name}{_GIVEN}")


def kept(baseline: Path) -> Kept | None:
    """The session and the token of a baseline; None where none were made. Raises SettingsError."""
    place = place_of(baseline)
    if not place.exists():
        return None
    try:
        return Kept(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"{place} is damaged ({type(error).__name__}): remove it") from error


def judge(
    target: Target, before: Kept, settings: Mapping[str, Any], leave: Callable[[str, str], None]
) -> Iterator[tuple[str, Said | str]]:
    """(thing, what is said, or a remark in words). `settings` are those of the baseline; `leave` takes what could not
    be found out.
    """
    age_s = time.time() - before.made
    minutes = settings.get(_TIMEOUT_SETTING)
    timeout_s = 60 * (minutes if isinstance(minutes, int) and minutes > 0 else _DEFAULT_TIMEOUT_MIN)
    session = Session(before.user, before.cookie)
    knows = _asked(
        ((each.object, target.web(each)) for each in target.deployment.replicas(Role.WEB)),
        lambda web: web.whoami(session) == before.user,
        leave,
    )
    yield from _of_all(
        "session",
        knows,
        f"made {age_s / 60:.0f} min ago",
        "ended by its own time" if age_s >= timeout_s else "",
        suspicious(
            "is known to no replica any more: everybody was signed out",
            "Was Redis emptied or replaced, or is another database of it used now? People sign in again; if they "
            "cannot, look at the session store that Harbor names",
        ),
    )
    over = before.token_ends and time.time() >= before.token_ends
    takes = _asked(
        (
            (each.object, target.registry(each, target.credentials))
            for each in target.deployment.replicas(target.profile.registry_api)
        ),
        lambda registry: expect(registry.accepts(before.token), 200, 401).status_code == 200,
        leave,
    )
    yield from _of_all(
        "token",
        takes,
        f"made {age_s / 60:.0f} min ago",
        "ended by its own time" if over else "",
        broken(
            "is refused before its time: the key that tokens are signed with is another",
            "Clients get new ones by themselves once every replica has the same key: see what is told of the token key",
        ),
    )


def _asked(places: Iterator[tuple[str, Any]], ask: Callable[[Any], bool], leave: Any) -> dict[str, bool]:
    answers = {}
    for place, client in places:
        try:
            answers[place] = ask(client)
        except AnswerError as silence:
            leave(place, str(silence))
    return answers


def _of_all(
    thing: str, answers: Mapping[str, bool], age: str, over: str, refused: Said
) -> Iterator[tuple[str, Said | str]]:
    refusing = [place for place, is_taken in answers.items() if not is_taken]
    if not answers:
        return
    if not refusing:
        yield thing, f"the {thing} of before ({age}) is honoured by every replica"
    elif over:
        yield thing, f"the {thing} of before ({age}) {over}: whether the upgrade ended it was not found out"
    elif len(refusing) == len(answers):
        yield thing, refused
    else:
        yield (
            thing,
            broken(
                f"is honoured by some replicas and refused by {', '.join(refusing)}",
                "Replicas differ in the session store or the token key that they use: wait for the end of the rollout, "
                "then run `harbor-verify`",
            ),
        )


def _is_let_in(target: Target, credentials: Credentials) -> bool:
    """Robots have no user of their own, and sign in as docker does, where core serves docker clients."""
    if target.profile.registry_api is not Role.WEB:
        return target.front_door.whoami_by_password(credentials) is not None
    answer = target.front_door.http.get("/v2/", auth=basic(credentials))
    return expect(answer, 200, 401).status_code == 200
