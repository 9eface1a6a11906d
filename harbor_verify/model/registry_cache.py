"""The Redis in which registry replicas keep what they have seen of blobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model import configuration
from harbor_verify.model.addresses import joined, split
from harbor_verify.model.stores import SessionStore


@dataclass(frozen=True)
class NamedRedis:
    """HOST[:PORT] of a Redis or, where `primary` is named, of Sentinels.

    `settings` is all that is said of it, by names in small letters.
    """

    addresses: tuple[str, ...]
    primary: str
    settings: Mapping[str, Any] = field(repr=False)


def named_redis(text: str, environment: Mapping[str, str]) -> NamedRedis | None:
    """The Redis that a registry's config.yml and environment name, used or not; None: they name none.

    Sources: distribution, redis; goharbor/distribution, sentinelMasterSet. A variable REGISTRY_REDIS_… wins over the
    file. Names are read however they are spelled: charts write enableTLS, and the registry's own word is enabletls.
    """
    told = configuration.mapping_of(text).get("redis")
    redis: dict[str, Any] = (
        {str(name).lower(): value for name, value in told.items()} if isinstance(told, dict) else {}
    )
    redis |= {
        name.removeprefix("REGISTRY_REDIS_").lower(): value
        for name, value in environment.items()
        if name.startswith("REGISTRY_REDIS_")
    }
    if not redis.get("addr"):
        return None
    addresses = tuple(each.strip() for each in str(redis["addr"]).split(","))
    primary = str(redis.get("sentinelmasterset") or "")
    return NamedRedis(addresses, primary, redis)


def registry_cache(text: str, environment: Mapping[str, str]) -> SessionStore | None:
    """What a registry's config.yml and environment name; None: it keeps descriptors in its memory, or nowhere.

    Source: distribution, storage.cache (blobdescriptor, once layerinfo). Raises WrongConfiguration.
    """
    storage, named = configuration.mapping_of(text).get("storage"), named_redis(text, environment)
    cache = storage.get("cache") if isinstance(storage, dict) else None
    kinds = [cache.get(key) for key in ("blobdescriptor", "layerinfo")] if isinstance(cache, dict) else []
    if "redis" not in kinds or named is None:
        return None
    redis, primary = named.settings, named.primary
    if len(named.addresses) > 1 and not primary:
        return None  # taken for one address, which nobody has: whoever reads it remembers nothing
    addresses = [split(each) for each in named.addresses]
    number = str(redis.get("db") or 0)
    default = "26379" if primary else "6379"
    if not number.isdecimal() or any(port and not port.isdecimal() for _, port in addresses):
        raise WrongConfiguration(
            "redis.db or a port in redis.addr of the registry's configuration is no number"
        )
    places = [(host, int(port or default)) for host, port in addresses]
    tls = redis.get("tls")
    wanted = (
        redis.get("enabletls"),
        redis.get("tls_enabled"),
        tls.get("enabled") if isinstance(tls, dict) else None,
    )
    return SessionStore(
        *places[0],
        password=str(redis.get("password") or ""),
        database=int(number),
        user=str(redis.get("username") or ""),
        # Of a variable it is text, of the file a bool.
        tls=any(str(each).lower() == "true" for each in wanted),
        primary=primary,
        sentinels=tuple(joined(host, port) for host, port in places) if primary else (),
    )
