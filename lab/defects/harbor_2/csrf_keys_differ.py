"""Each core has a CSRF key of its own."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, tell_node

# With a node's name before it, it has the 32 characters without which a core would take a random key.
_REST = "-0123456789abcdefghijklmno"


def _give_each_its_own(objects: list[Object]) -> None:
    container = container_of(objects, "harbor-core")
    tell_node(container)
    container["env"].append({"name": "CSRF_KEY", "value": f"$(NODE_NAME){_REST}"})


DEFECT = Defect(
    report="h#21060, hh#1847",
    shows="signing in fails with 403 CSRF token invalid whenever the form's token came from another replica",
    turns_red=frozenset(
        {
            "configuration.csrf-key-same-on-every-replica",
            "sessions.browser-session-through-front-door",
            "failover.web-pod-kill",
        }
    ),
    causes=frozenset({"configuration.csrf-key-same-on-every-replica"}),
    change=_give_each_its_own,
)
