"""The checks of suites/images on a stand-in, with fixtures that lead to programs on loopback."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

from harbor_verify import cleanup
from harbor_verify.clients import token_service
from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry, by_password, by_token
from harbor_verify.doors import Door
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from suites.images import (
    test_headers,
    test_indexes,
    test_layer_sizes,
    test_mounts,
    test_names,
    test_partial_pulls,
    test_referrers,
    test_uploads,
)
from tests.unit.running import examine, not_applicable

_MODULES = (
    test_headers,
    test_indexes,
    test_layer_sizes,
    test_mounts,
    test_names,
    test_partial_pulls,
    test_referrers,
    test_uploads,
)
CHECKS = {
    declared.id: function
    for module in _MODULES
    for function in vars(module).values()
    if (declared := getattr(function, "check", None))
}
"""By id."""


@contextmanager
def open_area(
    urls: Mapping[str, str],
    *,
    profile: Any,
    tokens_of: str,
    administrator: Credentials,
) -> Iterator[Callable[[str], None]]:
    """`run(id)`: run a check. The first of `urls` is the front door, the others are replicas.
    At its end all that the checks have made is removed as a run does it.

    `tokens_of` is the URL of who signs tokens, and has the API. Raises what the checks raise.
    """
    with ExitStack() as stack:

        def link(name: str, url: str) -> HttpClient:
            opened = HttpClient(name, url, timeouts_s=(2, 20))
            stack.callback(opened.close)
            return opened

        web = link("web", tokens_of)
        api: Harbor = profile.api(web)

        def registry(name: str, user: Credentials | None = None) -> Registry:
            who = user or administrator
            return Registry(
                link(name, urls[name]),
                by_token(cache(lambda scope: token_service.fetch(web, who, scope).text)),
            )

        front, *replicas = urls
        projects = {name: f"{name}-{secrets.token_hex(3)}" for name in ("private", "public")}
        for name, project in projects.items():
            api.create_project(project, administrator, public=name == "public")
        fixtures = {
            "doors": [Door(name, name, registry(name), is_front=name == front) for name in urls],
            "project": projects["private"],
            "public_project": projects["public"],
            "run_id": "contract",
            "new_image": lambda size_bytes=1024: Image.make(
                secrets.token_bytes(size_bytes), run_id="contract"
            ),
            "new_user": lambda: _new_user(api, administrator),
            "settings": Settings(large_layer_mib=12),
            "measured": {},
            "front_replicas": [],
            "not_applicable": not_applicable,
            "harbor": SimpleNamespace(
                front_door=api,
                access=SimpleNamespace(url=urls[front]),
                new_front_door_link=lambda: HttpClient(front, urls[front], timeouts_s=(2, 20)),
                front_registry_for_all=lambda link, who: Registry(
                    link,
                    by_password(who)
                    if profile.registry_api is Role.WEB
                    else by_token(lambda scope: token_service.fetch(web, who, scope).text),
                ),
                credentials=administrator,
                profile=profile,
                registry_api_replicas=lambda: [
                    SimpleNamespace(name=name, object=f"pod {name}") for name in replicas
                ],
                registry=lambda replica, credentials=None: registry(replica.name, credentials),
            ),
        }

        def run(id: str) -> None:
            check = CHECKS[id]
            names = check.__code__.co_varnames[: check.__code__.co_argcount]
            examine(check, **{name: fixtures[name] for name in names if name != "findings"})

        yield run

        target = SimpleNamespace(
            front_door=api,
            credentials=administrator,
            profile=profile,
            settings=Settings(),
            adopt=lambda: None,
            new_front_door_link=lambda: link("web", tokens_of),
        )
        for project in projects.values():
            cleanup.remove_project(target, project)  # type: ignore[arg-type]  # as much of one as it asks for


def _new_user(api: Harbor, administrator: Credentials) -> Credentials:
    user = Credentials(f"verify-{secrets.token_hex(4)}", "Aa1contract")
    api.create_user(user, administrator, run_id="contract")
    return user
