"""/api/v2.0/projects/{project}/repositories/{repository}/artifacts, and tags below it"""

import json
from typing import Any

from ....web.response import Response, empty, go_json
from ...database import Duplicate, Row
from ...version import at_least
from ..copying import blob_content, copy_artifact, manifest_content
from ..documents import created, document
from ..errors import JSON, bad_request, conflict, error, not_found
from ..harbor import Call
from ..records import artifacts, audit_log, manifests, repositories, tags
from ..records.quotas import QuotaExceeded
from . import bodies
from .guards import project_for, project_of_path, require_login
from .paging import exact_or_like, page_of, paged, query_of
from .repositories import name_in_path, repository_of_path


def listing(call: Call) -> Response:
    project, page = project_of_path(call, "artifact", "list"), page_of(call.request)
    exact, like = exact_or_like(query_of(call.request), "tags")
    repository = repositories.by_name(call.database, name_in_path(call, project))
    if repository is None:
        return paged(call.request, page, [], 0)
    rows, total = artifacts.listing(
        call.database, repository["repository_id"], tag=exact or like, limit=page.size, offset=page.offset
    )
    return paged(call.request, page, _documents(call, rows), total)


def get(call: Call) -> Response:
    return document(_documents(call, [_artifact(call, "artifact", "read")])[0])


def delete(call: Call) -> Response:
    artifact = _artifact(call, "artifact", "delete")
    if artifacts.is_referred_to(call.database, artifact["id"]):
        return error(
            412, "PRECONDITION", f"the deleting artifact {artifact['digest']} is referenced by others"
        )
    artifacts.delete(call.database, artifact)
    _audit(call, artifact, "delete", "artifact", call.request.parameters["reference"])
    return empty()


def copy(call: Call) -> Response:
    """POST with ?from=project/repository:tag or @digest."""
    project = project_of_path(call, "artifact", "create")
    target = name_in_path(call, project)
    source = call.request.query.get("from", [""])[0]
    repository, at, reference = source.partition("@")
    if not at:
        repository, _, reference = source.rpartition(":")
    source_project, _, rest = repository.partition("/")
    if not (reference and rest):
        raise bad_request(f"invalid format of from: {source}")
    project_for(call, source_project, "artifact", "read")
    artifact = artifacts.by_reference(call.database, repository, reference)
    if artifact is None:
        raise not_found(artifacts.not_found(repository, reference))
    try:
        copy_artifact(call.harbor, artifact, project["project_id"], target, "" if at else reference)
    except QuotaExceeded as failure:
        return error(403, "DENIED", str(failure))
    separator = "@" if at else ":"
    audit_log.add(
        call.database,
        require_login(call).name,
        project["project_id"],
        "create",
        "artifact",
        f"{target}{separator}{reference}",
    )
    encoded = call.request.target.partition("?")[0].rstrip("/")
    return created(f"{encoded}/{reference}")


def build_history(call: Call) -> Response:
    artifact = _artifact(call, "artifact", "read")
    registry, repository = call.harbor.registry, artifact["repository_name"]
    content = manifest_content(registry, repository, artifact["digest"], artifact["manifest_media_type"])
    manifest = manifests.read(content, artifact["digest"], artifact["manifest_media_type"])
    history: list[Any] = []
    if manifest.config_digest:
        config = json.loads(blob_content(registry, repository, manifest.config_digest))
        history = config.get("history") or []
    return Response(200, go_json(history).encode(), [JSON])


def tag_listing(call: Call) -> Response:
    artifact, page = _artifact(call, "tag", "list"), page_of(call.request)
    rows = tags.of_artifact(call.database, artifact["id"])
    chosen = rows[page.offset : page.offset + page.size]
    return paged(call.request, page, [tags.document(row) for row in chosen], len(rows))


def tag_create(call: Call) -> Response:
    artifact = _artifact(call, "tag", "create")
    name = bodies.text(bodies.sent(call, "tag"), "name")
    if not name and at_least(2, 15):
        raise bodies.missing("name")
    if not name:
        raise bad_request("tag name is needed")
    try:
        tags.add(call.database, artifact["repository_id"], artifact["id"], name)
    except Duplicate:
        raise conflict(
            f"tag {name} already exists under the repository {artifact['repository_id']}"
        ) from None
    _audit(call, artifact, "create", "tag", name)
    return Response(201)


def tag_delete(call: Call) -> Response:
    artifact = _artifact(call, "tag", "delete")
    name = call.request.parameters["tag"]
    tag = tags.by_name(call.database, artifact["repository_id"], name)
    if tag is None or tag["artifact_id"] != artifact["id"]:
        raise not_found(f"tag {name} attached to artifact {artifact['id']} not found")
    tags.delete(call.database, tag["id"])
    _audit(call, artifact, "delete", "tag", name)
    return empty()


def _artifact(call: Call, resource: str, action: str) -> Row:
    repository = repository_of_path(call, action, resource)
    reference = call.request.parameters["reference"]
    artifact = artifacts.by_reference(call.database, repository["name"], reference)
    if artifact is None:
        raise not_found(artifacts.not_found(repository["name"], reference))
    return artifact


def _documents(call: Call, rows: list[Row]) -> list[dict[str, Any]]:
    # Without the parameter, tags are shown; only with_tag=false hides them.
    with_tags = call.request.query.get("with_tag", ["true"])[0].lower() in ("true", "1")
    found = tags.of_artifacts(call.database, [row["id"] for row in rows]) if with_tags else {}
    return [
        artifacts.document(
            row,
            tag_rows=found[row["id"]] if with_tags else None,
            references=artifacts.children(call.database, row["id"])
            if row["media_type"] in manifests.INDEXES
            else [],
        )
        for row in rows
    ]


def _audit(call: Call, artifact: Row, operation: str, resource_type: str, reference: str) -> None:
    separator = "@" if ":" in reference else ":"
    audit_log.add(
        call.database,
        require_login(call).name,
        artifact["project_id"],
        operation,
        resource_type,
        f"{artifact['repository_name']}{separator}{reference}",
    )
