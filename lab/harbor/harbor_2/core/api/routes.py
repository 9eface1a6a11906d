"""What answers below /api/v2.0 here, and what is left out."""

import re

from ....web.response import Response
from ..errors import error
from ..harbor import Call
from ..routing import Route, route
from . import (
    artifacts,
    jobs,
    labels,
    members,
    projects,
    quotas,
    replication,
    repositories,
    robots,
    scanners,
    statistics,
)
from .gc import GC, PURGE
from .guards import require_login

_API = "/api/v2.0"
_PROJECT = f"{_API}/projects/{{project}}"
_REPOSITORY = f"{_PROJECT}/repositories/{{repository}}"
_ARTIFACT = f"{_REPOSITORY}/artifacts/{{reference}}"
_LEFT_OUT = "replication|scans?|scanners|usergroups|retentions|ldap|oidc|p2p|export|webhook|security"


def left_out(call: Call) -> Response:
    require_login(call)
    return error(501, "NOT_IMPLEMENTED", "the stand-in does without this part of Harbor")


ROUTES = [
    route("GET", f"{_API}/projects", projects.listing),
    route("HEAD", f"{_API}/projects", projects.exists),
    route("POST", f"{_API}/projects", projects.create),
    route("GET", _PROJECT, projects.get),
    route("PUT", _PROJECT, projects.change),
    route("DELETE", _PROJECT, projects.delete),
    route("GET", f"{_PROJECT}/summary", projects.summary),
    route("GET", f"{_PROJECT}/_deletable", projects.deletable),
    route("GET", f"{_PROJECT}/members", members.listing),
    route("POST", f"{_PROJECT}/members", members.add),
    route("GET", f"{_PROJECT}/members/{{member_id}}", members.get),
    route("PUT", f"{_PROJECT}/members/{{member_id}}", members.change),
    route("DELETE", f"{_PROJECT}/members/{{member_id}}", members.remove),
    route("GET", f"{_API}/repositories", repositories.listing_of_all),
    route("GET", f"{_PROJECT}/repositories", repositories.listing),
    route("GET", _REPOSITORY, repositories.get),
    route("PUT", _REPOSITORY, repositories.change),
    route("DELETE", _REPOSITORY, repositories.delete),
    route("GET", f"{_REPOSITORY}/artifacts", artifacts.listing),
    route("POST", f"{_REPOSITORY}/artifacts", artifacts.copy),
    route("GET", _ARTIFACT, artifacts.get),
    route("DELETE", _ARTIFACT, artifacts.delete),
    route("GET", f"{_ARTIFACT}/additions/build_history", artifacts.build_history),
    route("GET", f"{_ARTIFACT}/tags", artifacts.tag_listing),
    route("POST", f"{_ARTIFACT}/tags", artifacts.tag_create),
    route("DELETE", f"{_ARTIFACT}/tags/{{tag}}", artifacts.tag_delete),
    route("GET", f"{_API}/labels", labels.listing),
    route("POST", f"{_API}/labels", labels.create),
    route("GET", f"{_API}/labels/{{label_id}}", labels.get),
    route("PUT", f"{_API}/labels/{{label_id}}", labels.change),
    route("DELETE", f"{_API}/labels/{{label_id}}", labels.delete),
    route("GET", f"{_API}/quotas", quotas.listing),
    route("GET", f"{_API}/quotas/{{quota_id}}", quotas.get),
    route("PUT", f"{_API}/quotas/{{quota_id}}", quotas.change),
    route("GET", f"{_API}/robots", robots.listing),
    route("POST", f"{_API}/robots", robots.create),
    route("GET", f"{_API}/robots/{{robot_id}}", robots.get),
    route("PUT", f"{_API}/robots/{{robot_id}}", robots.change),
    route("PATCH", f"{_API}/robots/{{robot_id}}", robots.renew_secret),
    route("DELETE", f"{_API}/robots/{{robot_id}}", robots.delete),
    *(
        each
        for kind in (GC, PURGE)
        for each in (
            route("GET", kind.path, kind.history),
            route("GET", f"{kind.path}/schedule", kind.schedule),
            route("POST", f"{kind.path}/schedule", kind.create_schedule),
            route("PUT", f"{kind.path}/schedule", kind.change_schedule),
            route("GET", f"{kind.path}/{{execution_id}}", kind.get),
            route("GET", f"{kind.path}/{{execution_id}}/log", kind.job_log),
        )
    ),
    route("GET", f"{_API}/schedules", jobs.all_schedules),
    route("GET", f"{_API}/schedules/all/paused", jobs.scheduler_paused),
    route("GET", f"{_API}/jobservice/queues", jobs.queues),
    route("PUT", f"{_API}/jobservice/queues/{{queue}}", jobs.act_on_queue),
    route("GET", f"{_API}/jobservice/pools", jobs.pools),
    route("GET", f"{_API}/jobservice/pools/{{pool}}/workers", jobs.workers),
    route("POST", "/service/notifications/tasks/{task_id}", jobs.reported),
    route("GET", f"{_API}/replication/policies", replication.rules),
    route("GET", f"{_API}/replication/executions", replication.runs),
    route("GET", f"{_API}/scanners", scanners.listing),
    route("GET", f"{_API}/scanners/{{scanner}}/metadata", scanners.metadata),
    route("GET", f"{_API}/statistics", statistics.statistics),
    route("GET", f"{_API}/search", statistics.search),
    route("GET", f"{_API}/audit-logs", statistics.audit_logs),
    *(
        Route(method, re.compile(rf"{_API}/(projects/[^/]+/)?({_LEFT_OUT})(/.*)?"), left_out)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
]
"""Those of other parts of core are not among them."""
