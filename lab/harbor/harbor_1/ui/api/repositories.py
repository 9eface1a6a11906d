"""/api/repositories, without what concerns single tags"""

from .... import log
from ....web.response import Refused, Response, abort, document, empty, error
from ...configuration import ConfigurationUnavailable
from ..harbor import Call
from ..records import access_log, repositories
from ..registry_client import RegistryFailure
from ..signing import KeyUnusable
from ..synchronisation import SynchronisationFailed, synchronise
from .guards import project_by_id, project_by_name, require_administrator, require_manage, require_read
from .paging import page_of, paged

_TOP = 10
_REGISTRY_FAILURES = (RegistryFailure, ConfigurationUnavailable, KeyUnusable)


def listing(call: Call) -> Response:
    text = call.request.text("project_id")
    if not text.isdecimal() or int(text) == 0:
        return error(400, f"invalid project_id {text}")
    project = project_by_id(call, int(text))
    require_read(call, project)
    page = page_of(call.request)
    rows, total = repositories.of_project(
        call.database, project["project_id"], call.request.text("q"), page.size, page.offset
    )
    try:
        # With no repositories too: Harbor makes its client for the registry first.
        call.harbor.configuration.current()
        documents = [repositories.document(row, len(call.harbor.registry.tags(row["name"]))) for row in rows]
    except _REGISTRY_FAILURES as failure:
        log.error(f"failed to get the tags of repositories: {failure}")
        return error(500)
    return paged(call.request, page, documents, total)


def top(call: Call) -> Response:
    text = call.request.text("count") or str(_TOP)
    if not text.isdecimal() or int(text) == 0:
        return abort(400, "invalid count")
    rows = repositories.visible(call.database, sees_all=call.caller.sees_all, user_id=call.caller.user_id)
    try:
        documents = [
            repositories.document(row, len(call.harbor.registry.tags(row["name"])))
            for row in rows[: int(text)]
        ]
    except _REGISTRY_FAILURES as failure:
        log.error(f"failed to get the tags of repositories: {failure}")
        return abort(500, "internal server error")
    return document(documents)


def delete(call: Call) -> Response:
    """Of one tag, if the path names one, else of all."""
    name = call.request.parameters["repository"]
    project = project_by_name(call, name.partition("/")[0])
    require_manage(call, project)
    try:
        _delete(call, name, project["project_id"], call.request.parameters.get("tag"))
    except _REGISTRY_FAILURES as failure:
        log.error(f"error occurred while deleting of {name}: {failure}")
        return abort(500, "internal error")
    return empty()


def _delete(call: Call, name: str, project_id: int, tag: str | None) -> None:
    registry = call.harbor.registry
    tags = [tag] if tag else registry.tags(name)
    if not tags:
        raise Refused(abort(404, "Not Found"))
    for each in tags:
        # Several tags may name one manifest: it goes with the first of them.
        digest = registry.digest(name, each)
        if digest is not None:
            registry.delete_manifest(name, digest)
            access_log.add(call.database, call.caller.name, project_id, name, each, "delete")
    if not registry.tags(name):
        repositories.delete(call.database, name)


def synchronise_all(call: Call) -> Response:
    require_administrator(call)
    try:
        synchronise(call.database, call.harbor.registry)
    except SynchronisationFailed as failure:
        log.error(str(failure))
        return abort(500, "internal error")
    return empty()
