"""The token service that the registry sends its clients to."""

from typing import Any

from ... import log
from ...web.response import Response, abort, document
from ..configuration import ConfigurationUnavailable
from ..database import DatabaseError, describe
from .harbor import Call
from .records import projects
from .signing import KeyUnusable

REGISTRY, NOTARY = "harbor-registry", "harbor-notary"

Access = dict[str, Any]
"""type, name, actions: as it stands in a token."""


class BadScope(Exception):
    """A scope that Harbor cannot make sense of."""


def token(call: Call) -> Response:
    """For a wrong password too: a token of what anybody may do."""
    service = call.request.text("service")
    if service not in (REGISTRY, NOTARY):
        return abort(400, f"Unable to handle service: {service}")
    scopes = [scope for value in call.request.query.get("scope", []) for scope in value.split(" ")]
    if not scopes and not call.caller.is_authenticated:
        return abort(401)
    try:
        access = [_granted(call, service, parse(scope)) for scope in scopes] or None
        minutes = call.harbor.configuration.current()["token_expiration"]
        return document(call.harbor.key.token(call.caller.name, service, access, minutes))
    except DatabaseError as failure:
        reason = describe(failure)
    except (BadScope, ConfigurationUnavailable, KeyUnusable) as failure:
        reason = str(failure)
    log.error(f"Unexpected error when creating the token, error: {reason}")
    return abort(500)


def parse(scope: str) -> Access:
    """type:name:actions, where the name may have colons."""
    kind, *rest = scope.split(":")
    name = rest[0] if len(rest) == 1 else ":".join(rest[:-1])
    actions = rest[-1].split(",") if len(rest) > 1 and rest[-1] else []
    return {"type": kind, "name": name, "actions": actions}


def _granted(call: Call, service: str, asked: Access) -> Access:
    """What the caller may do, whatever actions were asked for. Raises BadScope."""
    match asked["type"]:
        case "registry" if asked["name"] != "catalog":
            raise BadScope(f"Unable to handle, type: registry, name: {asked['name']}")
        case "registry":
            return asked if call.caller.is_admin else asked | {"actions": []}
        case "repository":
            return asked | {"actions": _actions(call, _project_name(call, service, asked["name"]))}
    return asked | {"actions": []}


def _project_name(call: Call, service: str, image: str) -> str:
    if service == NOTARY:
        host, _, image = image.partition("/")
        if host != call.harbor.external_host():
            raise BadScope(f"Mismatch endpoint from string: {host}/{image}")
    project, slash, _ = image.partition("/")
    if not slash:
        raise BadScope(f"Unable to parse image from string: {image}")
    return project


def _actions(call: Call, project_name: str) -> list[str]:
    project = projects.by_name(call.database, project_name)
    if project is None:
        return []
    if call.caller.may_manage(project):
        return ["push", "*", "pull"]
    if call.caller.may_write(project):
        return ["push", "pull"]
    return ["pull"] if call.caller.may_read(project) else []
