"""Who may do what at the door, and the challenge of who may not."""

from ....web.request import Request
from ....web.response import Refused, Response
from ...database import DatabaseError, describe
from ...version import at_least
from .. import callers, permissions
from ..errors import error
from ..harbor import Call
from .places import Kind, Place, mounted_from

API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")


def wanted(request: Request, place: Place) -> list[tuple[str, str]]:
    """The repositories and actions that a request needs: of what it is about, then of what it is mounted from."""
    if place.kind in (Kind.BASE, Kind.CATALOG, Kind.OTHER):
        return []
    if request.method in ("GET", "HEAD"):
        return [(place.repository, "pull")]
    if request.method == "DELETE" and place.kind is not Kind.UPLOAD:
        return [(place.repository, "delete")]
    _, source = mounted_from(request.target) if place.kind is Kind.UPLOAD else ("", "")
    return [(place.repository, "push"), *([(source, "pull")] if source else [])]


def check(call: Call, place: Place) -> None:
    """Raises Refused where the caller may not."""
    caller = call.caller
    if place.kind in (Kind.BASE, Kind.OTHER):
        if caller is None or not caller.name:
            raise _refused(call, place, "unauthorized")
        return
    if place.kind is Kind.CATALOG:
        if not _may_list(call):
            raise _refused(call, place, "unauthorized to list catalog")
        return
    for repository, action in wanted(call.request, place):
        if action == "pull" and not call.request.headers.get("Authorization"):
            raise _refused(call, place, "authorize header needed to send HEAD to repository")
        try:
            allowed = _may(call, repository, action)
        except DatabaseError as failure:
            # Harbor says so, to whoever asks: a 401 without a challenge, and where its database is.
            raise Refused(_unauthorized(describe(failure), "")) from None
        if not allowed:
            raise _refused(call, place, f"unauthorized to access repository: {repository}, action: {action}")


def _may_list(call: Call) -> bool:
    """No token of the token service does, whatever it names."""
    caller = call.caller
    if caller and caller.access is not None:
        return False
    try:
        caller = callers.known(call.database, caller)
    except DatabaseError as failure:
        raise Refused(_unauthorized(describe(failure), "")) from None
    return bool(caller and caller.is_admin)


def _may(call: Call, repository: str, action: str) -> bool:
    """Raises DatabaseError. The project is looked for also where a token says enough."""
    project = repository.partition("/")[0]
    if call.caller and call.caller.access is not None:
        exists = permissions.project_named(call.database, project) is not None
        return exists and any(
            entry["type"] == "repository" and entry["name"] == repository and action in entry["actions"]
            for entry in call.caller.access
        )
    caller = callers.known(call.database, call.caller)
    return action in permissions.actions(call.database, caller, project)


def _refused(call: Call, place: Place, message: str) -> Refused:
    return Refused(_unauthorized(message, _challenge(call, place)))


def _unauthorized(message: str, challenge: str) -> Response:
    text = f"{message}: {message}"
    answer = error(401, "UNAUTHORIZED", text)
    answer.headers += [API_VERSION, ("Www-Authenticate", challenge)]
    return answer


def _own_url(call: Call) -> str:
    """What this client is to call Harbor: from 2.14 on what it has called it, with the scheme of the external URL."""
    settings, host = call.harbor.settings, call.request.headers.get("Host", "")
    if host == settings.core_url.rpartition("://")[2]:
        return settings.core_url
    if at_least(2, 14):
        return f"{settings.external_url.partition('://')[0]}://{host}"
    return settings.external_url


def _challenge(call: Call, place: Place) -> str:
    """Basic where something was shown already, or for the catalogue; else where to get a token."""
    if call.request.headers.get("Authorization") or place.kind is Kind.CATALOG:
        return 'Basic realm="harbor"'
    challenge = f'Bearer realm="{_own_url(call)}/service/token",service="{callers.REGISTRY_SERVICE}"'
    scopes = [
        f"repository:{repository}:{'pull,push' if action == 'push' else action}"
        for repository, action in wanted(call.request, place)
    ]
    return challenge + (f',scope="{" ".join(scopes)}"' if scopes else "")
