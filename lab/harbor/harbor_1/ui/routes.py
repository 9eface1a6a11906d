"""Which handler answers what."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...web.response import Response
from . import login, notifications, pages, tokens
from .api import members, projects, repositories, system, tags, users
from .harbor import Call

Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """`strict` paths answer other methods with 405; the others as if the path were not there."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    strict: bool = False


def _routes(prefix: str, *entries: tuple[str, str, Handler], strict: bool = False) -> list[Route]:
    names = {
        "{project}": r"(?P<project>\d+)",
        "{user}": r"(?P<user>\d+)",
        "{repository}": r"(?P<repository>.+)",
        "{tag}": r"(?P<tag>[^/]+)",
    }
    routes = []
    for method, path, handler in entries:
        expression = prefix + path
        for name, part in names.items():
            expression = expression.replace(name, part)
        routes.append(Route(method, re.compile(f"{expression}/?"), handler, strict))
    return routes


ROUTES = [
    *_routes(
        "",
        ("GET", "/", pages.index),
        (
            "GET",
            "/harbor(/(sign-in|sign-up|dashboard|projects|logs|users|replications|configs)(/.*)?)?",
            pages.index,
        ),
        ("GET", "/service/token", tokens.token),
        ("POST", "/service/notifications", notifications.receive),
        strict=True,
    ),
    *_routes(
        "",
        ("POST", "/login", login.log_in),
        ("GET", "/log_out", login.log_out),
        ("POST", "/userExists", login.user_exists),
    ),
    *_routes(
        "/api",
        ("GET", "/systeminfo", system.info),
        ("GET", "/systeminfo/volumes", system.volumes),
        ("GET", "/systeminfo/getcert", system.certificate),
        ("GET", "/configurations", system.configurations),
        ("GET", "/statistics", system.statistics),
        ("GET", "/search", system.search),
        ("GET", "/logs", system.logs),
        ("POST", "/internal/syncregistry", repositories.synchronise_all),
        ("GET", "/users/current", users.current),
        ("GET", "/users", users.listing),
        ("POST", "/users", users.create),
        ("GET", "/users/{user}", users.get),
        ("DELETE", "/users/{user}", users.delete),
    ),
    *_routes(
        "/api/projects",
        ("GET", "", projects.listing),
        ("HEAD", "", projects.exists),
        ("POST", "", projects.create),
        ("GET", "/{project}", projects.get),
        ("DELETE", "/{project}", projects.delete),
        ("GET", "/{project}/_deletable", projects.deletable),
        ("PUT", "/{project}/publicity", projects.set_publicity),
        ("GET", "/{project}/logs", projects.logs),
        ("GET", "/{project}/members", members.listing),
        ("POST", "/{project}/members", members.add),
        ("DELETE", "/{project}/members/{user}", members.remove),
    ),
    *_routes(
        "/api/repositories",
        ("GET", "", repositories.listing),
        ("GET", "/top", repositories.top),
        ("GET", "/{repository}/signatures", tags.without_notary),
        ("GET", "/{repository}/tags", tags.listing),
        ("GET", "/{repository}/tags/{tag}", tags.get),
        ("DELETE", "/{repository}/tags/{tag}", repositories.delete),
        ("GET", "/{repository}/tags/{tag}/manifest", tags.manifest),
        ("POST", "/{repository}/tags/{tag}/scan", tags.without_clair),
        ("GET", "/{repository}/tags/{tag}/vulnerability/details", tags.without_clair),
        ("DELETE", "/{repository}", repositories.delete),
    ),
    *(
        Route(method, re.compile(r"/api/(jobs|targets|policies|email|ldap)(/.*)?"), system.left_out)
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
    *_routes("/api", ("PUT", "/configurations", system.left_out)),
]
