"""What Harbor tells of itself: /api/systeminfo, /api/configurations, /api/statistics, /api/search, /api/logs"""

from pathlib import Path
from typing import Any

from .... import log
from ....web.response import Response, abort, document, error
from ...configuration import ConfigurationUnavailable
from ...database import DatabaseError, Row, describe
from ...version import VERSION
from ..harbor import Call
from ..records import access_log, projects, repositories
from ..registry_client import RegistryFailure
from ..signing import KeyUnusable
from .guards import require_administrator, require_login
from .paging import page_of, paged
from .projects import with_role

_CERTIFICATE = Path("/etc/ui/ca/ca.crt")
_EVERYTHING = 1_000_000
_EDITABLE = (
    "auth_mode",
    "email_from",
    "email_host",
    "email_identity",
    "email_port",
    "email_ssl",
    "email_username",
    "ldap_base_dn",
    "ldap_filter",
    "ldap_scope",
    "ldap_search_dn",
    "ldap_timeout",
    "ldap_uid",
    "ldap_url",
    "project_creation_restriction",
    "scan_all_policy",
    "self_registration",
    "token_expiration",
    "verify_remote_cert",
)
_DAILY_SCAN = {"type": "daily", "parameter": {"daily_time": 0}}


def info(call: Call) -> Response:
    """Asks the adminserver each time."""
    try:
        settings = call.harbor.configuration.fresh()
    except ConfigurationUnavailable as failure:
        log.error(f"Error occurred getting config: {failure}")
        return abort(500, "Unexpected error")
    return document(
        {
            "with_notary": settings["with_notary"],
            "with_clair": settings["with_clair"],
            "with_admiral": settings["admiral_url"] not in ("", "NA"),
            "admiral_endpoint": settings["admiral_url"],
            "auth_mode": settings["auth_mode"],
            "registry_url": settings["ext_endpoint"].rpartition("://")[2],
            "project_creation_restriction": settings["project_creation_restriction"],
            "self_registration": settings["self_registration"],
            "has_ca_root": _CERTIFICATE.exists(),
            "harbor_version": VERSION,
            "next_scan_all": 0,
        }
    )


def volumes(call: Call) -> Response:
    require_administrator(call)
    return document({"storage": call.harbor.configuration.ask("/api/systeminfo/capacity")})


def certificate(call: Call) -> Response:
    require_administrator(call)
    if not _CERTIFICATE.exists():
        return abort(404, "No certificate found.")
    return Response(200, _CERTIFICATE.read_bytes(), [("Content-Type", "application/octet-stream")])


def configurations(call: Call) -> Response:
    require_administrator(call)
    settings = call.harbor.configuration.current() | {"scan_all_policy": _DAILY_SCAN}
    return document({name: {"value": settings[name], "editable": True} for name in _EDITABLE})


def statistics(call: Call) -> Response:
    require_login(call)
    try:
        seen = _seen_projects(call)
        counts = _counts(seen, repositories.visible(call.database, **_view(call)))
    except DatabaseError as failure:
        log.error(f"failed to get statistics: {describe(failure)}")
        return abort(500)
    return document(counts if call.caller.is_admin else _without_totals(counts))


def search(call: Call) -> Response:
    text = call.request.text("q")
    seen = [project for project in _seen_projects(call) if text in project["name"]]
    found = [row for row in repositories.visible(call.database, **_view(call)) if text in row["name"]]
    try:
        hits = [
            {
                "project_id": row["project_id"],
                "project_name": row["project_name"],
                "project_public": row["project_public"],
                "pull_count": row["pull_count"],
                "repository_name": row["name"],
                "tags_count": len(call.harbor.registry.tags(row["name"])),
            }
            for row in sorted(found, key=lambda row: row["name"])
        ]
    except (RegistryFailure, ConfigurationUnavailable, KeyUnusable) as failure:
        log.error(f"failed to filter repositories: {failure}")
        return abort(500)
    return document({"project": [with_role(call, project) for project in seen], "repository": hits})


def logs(call: Call) -> Response:
    require_login(call)
    page = page_of(call.request)
    member_id = None if call.caller.is_admin else call.caller.user_id or 0
    rows, total = access_log.listing(call.database, member_id=member_id, limit=page.size, offset=page.offset)
    return paged(call.request, page, [access_log.document(row) for row in rows], total)


def left_out(call: Call) -> Response:
    """A part of Harbor that the stand-in does not have."""
    require_login(call)
    return error(501, "the stand-in does not have this part of Harbor")


def _view(call: Call) -> dict[str, Any]:
    return {"sees_all": call.caller.sees_all, "user_id": call.caller.user_id}


def _seen_projects(call: Call) -> list[Row]:
    rows, _ = projects.listing(call.database, **_view(call), limit=_EVERYTHING)
    return rows


def _counts(seen: list[Row], found: list[Row]) -> dict[str, int]:
    public_projects = sum(project["public"] == 1 for project in seen)
    public_repositories = sum(row["project_public"] == 1 for row in found)
    return {
        "private_project_count": len(seen) - public_projects,
        "private_repo_count": len(found) - public_repositories,
        "public_project_count": public_projects,
        "public_repo_count": public_repositories,
        "total_project_count": len(seen),
        "total_repo_count": len(found),
    }


def _without_totals(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if not name.startswith("total")}
