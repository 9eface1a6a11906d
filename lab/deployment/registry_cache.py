"""The registry's descriptors in Redis are of one storage: with another in its place they are emptied.

Else Redis vouches for what is gone, which is a defect, and not the one that was asked for.
"""

import json

import yaml

from lab import settings
from lab.deployment import rollout
from lab.deployment.manifests.objects import container_of, find
from lab.errors import LabError
from lab.profiles import Profile
from lab.stores import redis_sentinel
from lab.waiting import wait_until

_NO_PLACE = {"cache", "delete", "maintenance", "redirect"}
"""What of `storage` says nothing of where images are."""
_DEADLINE_S = 30


def follow(profile: Profile) -> None:
    """Empty them where images are kept elsewhere than when this was called last. Raises NotReady, CommandFailed."""
    try:
        objects = rollout.rendered(profile.folder)
        config = yaml.safe_load(find(objects, "ConfigMap", "harbor-registry")["data"]["config.yml"])
        container = container_of(objects, "harbor-registry", "registry")
    except (FileNotFoundError, LabError, ValueError):
        return  # Of this Harbor none are kept, or it is rendered by somebody.
    address, _, _ = str((config.get("redis") or {}).get("addr", "")).partition(":")
    if address != settings.LOAD_BALANCER:
        return
    storage = {name: value for name, value in config["storage"].items() if name not in _NO_PLACE}
    variables = [each for each in container.get("env") or () if each["name"].startswith("REGISTRY_STORAGE")]
    place = json.dumps([storage, variables], sort_keys=True)
    note = profile.folder / "images-are-at"
    if note.exists() and note.read_text() == place:
        return
    empty(str(config["redis"].get("db", 0)))
    note.write_text(place)


def empty(database: str) -> None:
    """Empty that database of the primary. Raises NotReady."""

    def flush() -> None:
        address = settings.REDIS[redis_sentinel.in_use()]
        redis_sentinel.redis_cli(address, redis_sentinel.PORT, "-n", database, "FLUSHDB")

    wait_until("the registry's descriptors in Redis are emptied", flush, deadline_s=_DEADLINE_S)
