"""The token service that clients of the registry are sent to."""

from typing import Any

from ... import log
from ...web.response import Response, abort, document
from ..database import DatabaseError, describe
from . import callers, permissions
from .harbor import Call, Caller
from .signing import Access, KeyUnusable


class BadScope(Exception):
    """A scope that Harbor cannot make sense of."""


def token(call: Call) -> Response:
    """For a wrong password too: a token of what anybody may do. Without a database: a token of nothing."""
    service = call.request.text("service")
    if service != callers.REGISTRY_SERVICE:
        return abort(400, f"Unable to handle service: {service}")
    scopes = [scope for value in call.request.query.get("scope", []) for scope in value.split(" ") if scope]
    if not scopes and call.caller is None:
        return abort(401)
    try:
        caller = _known(call)
        access = [_granted(call, caller, parse(scope)) for scope in scopes] or None
        minutes = call.harbor.configuration.known()["token_expiration"]
        name = call.caller.name if call.caller else ""
        return document(call.harbor.key.token(name, service, access, minutes), indent=None)
    except (BadScope, KeyUnusable) as failure:
        log.error(f"Unexpected error when creating the token, error: {failure}")
        return abort(500)


def parse(scope: str) -> Access:
    """type:name:actions, where the name may have colons."""
    kind, *rest = scope.split(":")
    name = rest[0] if len(rest) == 1 else ":".join(rest[:-1])
    actions = rest[-1].split(",") if len(rest) > 1 and rest[-1] else []
    return {"type": kind, "name": name, "actions": actions}


def _known(call: Call) -> Caller | None:
    try:
        return callers.known(call.database, call.caller)
    except DatabaseError as failure:
        log.error(f"failed to find the user of a session: {describe(failure)}")
        return None


def _granted(call: Call, caller: Caller | None, asked: dict[str, Any]) -> Access:
    """What the caller may do, whatever actions were asked for. Raises BadScope."""
    match asked["type"]:
        case "registry" if asked["name"] != "catalog":
            raise BadScope(f"Unable to handle, type: registry, name: {asked['name']}")
        case "registry":
            return asked if caller and caller.is_admin else asked | {"actions": []}
        case "repository":
            return asked | {"actions": _actions(call, caller, asked["name"])}
    return asked | {"actions": []}


def _actions(call: Call, caller: Caller | None, repository: str) -> list[str]:
    project, slash, _ = repository.partition("/")
    if not slash:
        raise BadScope(f"Unable to parse image from string: {repository}")
    try:
        return permissions.actions(call.database, caller, project)
    except DatabaseError as failure:
        log.error(f"failed to find what may be done in {project}: {describe(failure)}")
        return []
