"""The registry's Redis is a Sentinel's address, and no sentinelMasterSet says of whom to ask it: as charts render it
where Redis is reached by TLS.
"""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find


def _ask_a_sentinel(objects: list[Object]) -> None:
    registry = find(objects, "ConfigMap", "harbor-registry")
    change_text(registry, "config.yml", "addr: 192.0.2.30:6379", "addr: 192.0.2.31:26379")


DEFECT = Defect(
    report="h#22327; goharbor/harbor-helm up to 1.19.1: registry-cm.yaml",
    shows="all works, and the registry remembers nothing: each request asks the storage, and its log is full of errors",
    turns_red=frozenset({"configuration.registry-cache-follows-sentinels"}),
    hint_says=("sentinelMasterSet",),
    change=_ask_a_sentinel,
)
