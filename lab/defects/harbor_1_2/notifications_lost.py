"""The registry tells a host that is not there of what was pushed."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find


def _misspell(objects: list[Object]) -> None:
    registry = find(objects, "ConfigMap", "harbor-registry-config")
    change_text(registry, "config", "url: http://ui/service", "url: http://harbor-ui/service")


DEFECT = Defect(
    report="none is known; a Service that was renamed",
    shows="docker push and pull work, and no repository appears in Harbor: nothing there can be deleted either",
    turns_red=frozenset({"registry.delete-removes", "registry.repository-appears-in-harbor"}),
    causes=frozenset({"registry.repository-appears-in-harbor"}),
    hint_says=("notifications",),
    change=_misspell,
)
