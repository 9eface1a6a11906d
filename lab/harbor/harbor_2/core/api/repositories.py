"""/api/v2.0/projects/{project}/repositories, /api/v2.0/repositories"""

from urllib.parse import unquote

from ....web.response import Response, empty
from ...database import Row
from ..documents import document
from ..errors import not_found
from ..harbor import Call
from ..records import audit_log, deletion, repositories
from . import bodies
from .guards import project_of_path, require_administrator, require_login
from .paging import exact_or_like, page_of, paged, query_of


def listing(call: Call) -> Response:
    project = project_of_path(call, "repository", "list")
    return _paged(call, project["project_id"])


def listing_of_all(call: Call) -> Response:
    require_administrator(call)
    return _paged(call, None)


def get(call: Call) -> Response:
    return document(repositories.document(repository_of_path(call, "read")))


def change(call: Call) -> Response:
    repository = repository_of_path(call, "update")
    repositories.set_description(
        call.database,
        repository["repository_id"],
        bodies.text(bodies.sent(call, "repository"), "description"),
    )
    return empty()


def delete(call: Call) -> Response:
    repository = repository_of_path(call, "delete")
    deletion.delete_repository(call.database, repository)
    audit_log.add(
        call.database,
        require_login(call).name,
        repository["project_id"],
        "delete",
        "repository",
        repository["name"],
    )
    return empty()


def repository_of_path(call: Call, action: str, resource: str = "repository") -> Row:
    """The repository that the path names, for a caller who may do that in its project."""
    project = project_of_path(call, resource, action)
    name = name_in_path(call, project)
    repository = repositories.by_name(call.database, name)
    if repository is None:
        raise not_found(f"repository {name} not found")
    return repository


def name_in_path(call: Call, project: Row) -> str:
    """The whole name. Slashes in it are encoded twice; one of the encodings is gone already."""
    return f"{project['name']}/{unquote(call.request.parameters['repository'])}"


def _paged(call: Call, project_id: int | None) -> Response:
    page = page_of(call.request)
    exact, like = exact_or_like(query_of(call.request), "name")
    rows, total = repositories.listing(
        call.database, project_id=project_id, name_like=exact or like, limit=page.size, offset=page.offset
    )
    return paged(call.request, page, [repositories.document(row) for row in rows], total)
