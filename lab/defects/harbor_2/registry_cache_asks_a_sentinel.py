"""The registry's Redis are the Sentinels' addresses, and no sentinelMasterSet says of whom to ask them: as charts
render it where Redis is reached by TLS.
"""

import yaml

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find
from lab.stores.redis_sentinel import SENTINEL_PORT


def _ask_a_sentinel(objects: list[Object]) -> None:
    data = find(objects, "ConfigMap", "harbor-registry")["data"]
    document = yaml.safe_load(data["config.yml"])
    document["redis"]["addr"] = ",".join(f"{host}:{SENTINEL_PORT}" for host in settings.REDIS.values())
    data["config.yml"] = yaml.safe_dump(document, sort_keys=False)


DEFECT = Defect(
    report="h#22327; goharbor/harbor-helm up to 1.19.1: registry-cm.yaml",
    shows="all works, and the registry remembers nothing: each request asks the storage, and its log is full of errors",
    turns_red=frozenset({"configuration.registry-cache-follows-sentinels"}),
    hint_says=("sentinelMasterSet",),
    not_applicable=frozenset({"integrity.redis-vouches-for-what-is-there"}),
    change=_ask_a_sentinel,
)
