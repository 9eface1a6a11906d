"""nginx keeps what the API has answered for a minute, whoever asked, to spare core."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find

_KEEP = """proxy_cache api; proxy_cache_valid 200 1m;
    proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;"""


def _keep(objects: list[Object]) -> None:
    nginx = find(objects, "ConfigMap", "harbor-nginx")
    change_text(nginx, "nginx.conf", "http {\n", "http {\n  proxy_cache_path /tmp/api keys_zone=api:1m;\n")
    change_text(nginx, "nginx.conf", "location /api/ {", f"location /api/ {{ {_KEEP}")


DEFECT = Defect(
    report="none is known; a cache that somebody put before a slow API",
    shows="one user sees the projects of another, and is taken for him",
    turns_red=frozenset({"sessions.browser-session-through-front-door", "sessions.users-kept-apart"}),
    causes=frozenset({"sessions.users-kept-apart"}),
    hint_says=("let nothing cache /api/",),
    alone=True,  # whoever waits for something that the API tells waits for a minute
    change=_keep,
)
