"""The Redis in which registry replicas keep what they have seen of blobs."""

from collections.abc import Mapping
from typing import Any

import yaml

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.addresses import joined, split
from harbor_verify.model.stores import SessionStore


def registry_cache(text: str, environment: Mapping[str, str]) -> SessionStore | None:
    """What a registry's config.yml and environment name; None: it keeps descriptors in its memory, or nowhere.

    Sources: distribution, storage.cache (blobdescriptor, once layerinfo) and redis; goharbor/distribution,
    sentinelMasterSet. A variable REGISTRY_REDIS_… wins over the file. Raises WrongConfiguration.
    """
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError:
        config = None
    config = config if isinstance(config, dict) else {}
    storage, told = config.get("storage"), config.get("redis")
    cache = storage.get("cache") if isinstance(storage, dict) else None
    kinds = [cache.get(key) for key in ("blobdescriptor", "layerinfo")] if isinstance(cache, dict) else []
    redis: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
    redis |= {
        name.removeprefix("REGISTRY_REDIS_").lower(): value
        for name, value in environment.items()
        if name.startswith("REGISTRY_REDIS_")
    }
    if "redis" not in kinds or not redis.get("addr"):
        return None
    addresses = [split(each.strip()) for each in str(redis["addr"]).split(",")]
    primary = str(redis.get("sentinelmasterset") or redis.get("sentinelMasterSet") or "")
    number = str(redis.get("db") or 0)
    default = "26379" if primary else "6379"
    if not number.isdecimal() or any(port and not port.isdecimal() for _, port in addresses):
        raise WrongConfiguration(
            "redis.db or a port in redis.addr of the registry's configuration is no number"
        )
    places = [(host, int(port or default)) for host, port in addresses]
    tls = redis.get("tls")
    return SessionStore(
        *places[0],
        password=str(redis.get("password") or ""),
        database=int(number),
        user=str(redis.get("username") or ""),
        tls=redis.get("enabletls") is True or (isinstance(tls, dict) and tls.get("enabled") is True),
        primary=primary,
        sentinels=tuple(joined(host, port) for host, port in places) if primary else (),
    )
