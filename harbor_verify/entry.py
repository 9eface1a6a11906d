"""What makes every check fail alike is said once, before any: a Kubernetes that is too old, a wrong URL, a wrong
password, nobody there, a Harbor that is told to take nothing.

Whatever only part of Harbor gets wrong is for the checks to say.
"""

import re
from contextlib import closing, suppress
from urllib.parse import urlsplit

from harbor_verify.clients.harbor import Harbor
from harbor_verify.errors import (
    AnswerError,
    CannotTell,
    NoAnswer,
    SettingsError,
    TargetUnreachable,
    UnexpectedAnswer,
)
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.settings import PREFIX, flag
from harbor_verify.target import Target

_PASSWORD_TRIES = 5
"""Harbor lets each wait for 1.5 s."""
_OLDEST_KUBERNETES = (1, 21)
"""The first with EndpointSlices and PodDisruptionBudgets of version v1."""


def require(target: Target) -> None:
    """See that the cluster is not too old, and that the front door is Harbor's, has somebody behind it, knows the
    administrator, and takes changes.

    Raises SettingsError and TargetUnreachable, saying what was tried and what to do.
    """
    _require_kubernetes(target)
    _require_no_way_to_https(target)
    refusal = _refusal_of_front_door(target)
    if refusal is not None:
        _require_somebody_behind(target, refusal)
        return
    _require_administrator(target)
    _require_no_read_only_mode(target)
    _require_same_harbor(target)


def _require_kubernetes(target: Target) -> None:
    """Raises TargetUnreachable where the API server is too old to be asked."""
    version = target.kubernetes.version()
    told = re.match(r"v?(\d+)\.(\d+)", version)
    if told and (int(told[1]), int(told[2])) < _OLDEST_KUBERNETES:
        oldest = ".".join(map(str, _OLDEST_KUBERNETES))
        raise TargetUnreachable(
            f"the API server at {target.kubernetes.server} is Kubernetes {version}: EndpointSlices and "
            f"PodDisruptionBudgets are read by version v1 of their API, which there is from {oldest} on"
        )


def _require_no_way_to_https(target: Target) -> None:
    """Passwords and pushes are not sent to where everything is redirected. Raises SettingsError."""
    try:
        answer = target.front_door.http.get("/")
    except NoAnswer:
        return
    place, url = urlsplit(answer.headers.get("Location", "")), urlsplit(target.url)
    if answer.is_redirect and url.scheme == "http" and place.scheme == "https":
        better = f"https://{place.netloc}"
        raise SettingsError(
            f"GET {target.url}/ → {answer.status_code}: it redirects everything to {better}. "
            f"Clients use that; so does the suite with {flag('harbor_url')} {better}."
        )


def _refusal_of_front_door(target: Target) -> AnswerError | None:
    """What the front door says in place of what every Harbor tells; None when it tells it."""
    try:
        target.front_door.authentication_mode()
    except AnswerError as refusal:
        return refusal
    return None


def _require_somebody_behind(target: Target, refusal: AnswerError) -> None:
    """Raises TargetUnreachable where no replica answers, and where all do, but the front door is somebody else's."""
    words = target.profile.words
    answers, silences = [], []
    for replica in target.deployment.replicas(Role.WEB):
        try:
            target.web(replica).authentication_mode()
            answers.append(replica.name)
        except AnswerError as silence:
            silences.append(f"{replica.name}: {silence}")
    if not answers:
        seen = "; ".join(silences) or f"{target.workload(Role.WEB).object} has no pod"
        raise TargetUnreachable(
            f"Harbor is down: no {words.web} replica answers, and nothing can be verified. "
            f"Front door: {refusal}. {seen}. See `kubectl --namespace {target.namespace} get pods`, and their logs."
        )
    if isinstance(refusal, UnexpectedAnswer) and refusal.status < 500 and not silences:
        raise TargetUnreachable(
            f"what answers at {target.url} does not lead to the Harbor in namespace {target.namespace}: {refusal}, "
            f"while {', '.join(answers)}, asked directly, answer as Harbor does. Is {flag('harbor_url')} the URL that "
            "browsers and docker clients use, and does it send /api, /c, /service and /v2 to Harbor?"
        )


def _require_administrator(target: Target) -> None:
    """Raises SettingsError where the front door refuses the password each time, or says that it is of somebody who may
    not administer all of Harbor; nobody else is asked with it.
    """
    tries = _PASSWORD_TRIES if len(target.deployment.replicas(Role.WEB)) > 1 else 1
    for _ in range(tries):
        # A connection each: one replica alone may refuse what the others take.
        with closing(target.new_front_door()) as front:
            try:
                if front.whoami_by_password(target.credentials):
                    is_administrator = front.is_administrator(target.credentials)
                    break
            except AnswerError:
                return
    else:
        raise _password_refused(target, tries)
    if is_administrator is False:
        raise SettingsError(
            f"{target.credentials.user} is no system administrator of this Harbor: the suite makes users and projects, "
            "and asks what administrators alone are told. Make it one (Administration → Users), or name "
            f"another with {flag('admin_user')}, or `username` in the Secret of {flag('credentials_secret')}."
        )


def _password_refused(target: Target, tries: int) -> SettingsError:
    return SettingsError(
        f"Harbor knows no user {target.credentials.user} with this password: the front door answers 401, "
        f"{tries} times of {tries}. "
        f"What else was seen: {target.front_door.symptoms()}. The password is taken from "
        f"{PREFIX}ADMIN_PASSWORD, {flag('credentials_secret')} or the settings file; it is what the administrator "
        "signs in with, which the value that Harbor was installed with is only until somebody changes it."
    )


def _require_no_read_only_mode(target: Target) -> None:
    """Raises SettingsError where Harbor was told to take neither pushes nor changes."""
    is_read_only = False
    with suppress(AnswerError):
        is_read_only = target.front_door.is_read_only(target.credentials)
    if is_read_only:
        raise SettingsError(
            f"Harbor at {target.url} is in read-only mode: it refuses every push and every project, so hardly anything "
            "can be verified, and nobody but readers is served. Somebody has switched it on (Configuration → System "
            "Settings → Repository Read Only; a backup, a migration): switch it off, and run this again."
        )


def _require_same_harbor(target: Target) -> None:
    """Before anything is made: what answers at the URL is the Harbor of the namespace. Nothing is written for it.

    It is where a replica has a mark that the front door has, as it tells anybody who asks; where there is none, where a
    replica knows a session that began at the front door. What the front door refuses is for the checks. Raises
    TargetUnreachable.
    """
    front, credentials = target.front_door, target.credentials
    try:
        marks = _public_marks(front)
        if not marks:
            front.sign_in(credentials)
    except AnswerError:
        return
    replicas = target.deployment.replicas(Role.WEB)
    others, silences = [], []
    for replica in replicas:
        web = target.web(replica)
        try:
            if marks & _public_marks(web):
                return
            if not marks and _knows_the_administrator(target, replica):
                return
            others.append(replica.name)
        except AnswerError as silence:
            silences.append(f"{replica.name}: {silence}")
    if others:
        seen = "has none of the public projects that" if marks else "knows no session that began at"
        raise TargetUnreachable(
            f"{target.url} leads to another Harbor than the one in namespace {target.namespace}: {', '.join(others)}, "
            f"asked directly, {seen} {target.url}{' shows' if marks else ''}. Are {flag('harbor_url')} and "
            f"{flag('namespace')} of the same Harbor? (If they are, its replicas use different databases.)"
        )
    words = target.profile.words
    silent = "; ".join(silences) or f"{target.workload(Role.WEB).object} has no pod"
    raise TargetUnreachable(
        f"{target.url} answers as Harbor does, but no {words.web} replica of namespace {target.namespace} does, asked "
        f"directly: {silent}. So they may be two Harbors, and nothing is tried. "
        + (
            "A mesh or NetworkPolicy may refuse what comes from this pod: grant create pods/portforward."
            if target.kubernetes.inside
            else f"Are {flag('harbor_url')} and {flag('namespace')} of the same Harbor?"
        )
    )


def _public_marks(place: Harbor) -> frozenset[str]:
    """Raises NoAnswer."""
    try:
        return place.birth_marks(None)
    except UnexpectedAnswer:
        # It tells nobody whom it does not know.
        return frozenset()


def _knows_the_administrator(target: Target, replica: Replica) -> bool:
    try:
        return target.administrator(replica) is not None
    except CannotTell:
        return False
