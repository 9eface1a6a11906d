"""What makes every check fail alike is said once, before any: a wrong URL, a wrong password, nobody there.

Whatever only part of Harbor gets wrong is for the checks to say.
"""

from urllib.parse import urlsplit

from harbor_verify.errors import AnswerError, NoAnswer, SettingsError, TargetUnreachable, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.settings import PREFIX, flag
from harbor_verify.target import Target


def require(target: Target) -> None:
    """See that the front door is Harbor's, that somebody is behind it, and that it knows the administrator.

    Raises SettingsError and TargetUnreachable, saying what was tried and what to do.
    """
    _require_no_way_to_https(target)
    refusal = _refusal_of_front_door(target)
    if refusal is not None:
        _require_somebody_behind(target, refusal)
        return
    _require_administrator(target)
    _require_same_harbor(target)


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
    """Raises SettingsError where everybody who answers refuses the password."""
    places = [target.front_door, *map(target.web, target.deployment.replicas(Role.WEB))]
    try:
        known = [place.whoami_by_password(target.credentials) for place in places]
    except AnswerError:
        return
    if not any(known):
        names = ", ".join(place.name for place in places)
        raise SettingsError(
            f"Harbor knows no user {target.credentials.user} with this password: {names} answer 401. "
            f"What else was seen: {target.front_door.symptoms()}. The password is taken from "
            f"{flag('admin_password')}, {PREFIX}ADMIN_PASSWORD or the settings file; it is what the administrator "
            "signs in with, which the value that Harbor was installed with is only until somebody changes it."
        )


def _require_same_harbor(target: Target) -> None:
    """Before anything is made: what answers at the URL is the Harbor of the namespace. Nothing is written for it.

    It is where a replica has a mark that the front door has; where there is none, where a replica knows a session
    that began at the front door. What the front door refuses is for the checks. Raises TargetUnreachable.
    """
    front, credentials = target.front_door, target.credentials
    try:
        marks = front.birth_marks(credentials)
        session = None if marks else front.sign_in(credentials)
    except AnswerError:
        return
    replicas = target.deployment.replicas(Role.WEB)
    others, silences = [], []
    for replica in replicas:
        web = target.web(replica)
        try:
            if marks & web.birth_marks(credentials):
                return
            if session is not None and web.whoami(session) == credentials.user:
                return
            others.append(replica.name)
        except AnswerError as silence:
            silences.append(f"{replica.name}: {silence}")
    if others:
        seen = "has none of the projects that" if marks else "knows no session that began at"
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
