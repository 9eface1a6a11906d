"""Addresses of a database and a Redis outside the manifests: the lab's own stand in their place."""

import re
from dataclasses import dataclass, field

import yaml

from lab.deployment.manifests.objects import Object, of_kind
from lab.given import text

_REDIS_URL = re.compile(
    r"redis(?P<tls>s?)(?P<sentinel>\+sentinel)?://(?:[^@/\s\"']*@)?(?P<hosts>[^/?\s\"']+)(?P<path>[^?\s\"']*)"
)


@dataclass(frozen=True)
class Stores:
    """The lab's: (host, port) of each, and what opens them."""

    database: tuple[str, str]
    database_user: str
    database_name: str
    database_password: str = field(repr=False)
    redis: tuple[str, str]
    sentinels: tuple[str, ...]
    """HOST:PORT of each."""
    master_name: str
    redis_password: str = field(repr=False)


def adapt(objects: list[Object], stores: Stores) -> tuple[list[str], dict[str, str]]:
    """Lead to the lab's stores whatever does not lead to a Service of these objects.

    Returns what was changed, in sentences, and the passwords that open those stores, by the variables that Harbor's
    programs read them from.
    """
    services = {service["metadata"]["name"] for service in of_kind(objects, "Service")}
    database, redis = _adapt_database(objects, stores, services), _adapt_redis(objects, stores, services)
    passwords = {
        **({f"{each}PASSWORD": stores.database_password for each in _DATABASE_VARIABLES} if database else {}),
        **({"REGISTRY_REDIS_PASSWORD": stores.redis_password} if redis else {}),
    }
    return database + redis, passwords


def _own(host: str, services: set[str]) -> bool:
    return host.partition(".")[0] in services


def _adapt_database(objects: list[Object], stores: Stores, services: set[str]) -> list[str]:
    outside: set[str] = set()
    host, port = stores.database
    for prefix, name_of_database in _DATABASE_VARIABLES.items():
        hosts = text.named(objects, f"{prefix}HOST")
        if not (others := {each.value for each in hosts if not _own(each.value, services)}):
            continue
        outside |= others
        for name, value in {
            f"{prefix}HOST": host,
            f"{prefix}PORT": port,
            f"{prefix}USERNAME": stores.database_user,
            f"{prefix}{name_of_database}": stores.database_name,
            f"{prefix}SSLMODE": "disable",
        }.items():
            for holder in [each.holder for each in hosts if each.key != "value"]:
                holder.setdefault(name, value)
            for variable in text.named(objects, name):
                variable.value = value
    if not outside:
        return []
    told = ", ".join(sorted(outside))
    return [f"database {told}: the lab's PostgreSQL, two servers with Patroni, without TLS"]


_DATABASE_VARIABLES = {"POSTGRESQL_": "DATABASE", "HARBOR_DATABASE_": "DBNAME"}
"""How the variables of core and exporter begin, and how that with the database's name ends."""


def _adapt_redis(objects: list[Object], stores: Stores, services: set[str]) -> list[str]:
    outside: set[str] = set()

    def rewritten(match: re.Match[str]) -> str:
        first = match["hosts"].partition(",")[0].rpartition(":")[0] or match["hosts"]
        if _own(first, services):
            return match[0]
        outside.add(match["hosts"])
        database = match["path"].rpartition("/")[2]
        if match["sentinel"]:
            sentinels = ",".join(stores.sentinels)
            return f"redis+sentinel://:{stores.redis_password}@{sentinels}/{stores.master_name}/{database}"
        return f"redis://:{stores.redis_password}@{':'.join(stores.redis)}/{database}"

    for variable in text.texts(objects):
        changed = _REDIS_URL.sub(rewritten, variable.value)
        if changed != variable.value:
            variable.value = changed
    outside |= _adapt_registry(objects, stores, services)
    return (
        [f"Redis {', '.join(sorted(outside))}: the lab's, with three Sentinels, without TLS"]
        if outside
        else []
    )


def _adapt_registry(objects: list[Object], stores: Stores, services: set[str]) -> set[str]:
    """The registry is told of its Redis in its own configuration. Its lab's version cannot ask Sentinels."""
    outside = set()
    for config_map in of_kind(objects, "ConfigMap"):
        document = registry_configuration((config_map.get("data") or {}).get("config.yml", ""))
        redis = document.get("redis") if document else None
        if not redis or _own(str(redis["addr"]).partition(",")[0].rpartition(":")[0], services):
            continue
        outside.add(str(redis["addr"]))
        redis |= {"addr": ":".join(stores.redis), "password": stores.redis_password}
        for key in ("sentinelMasterSet", "username", "enableTLS", "tls"):
            redis.pop(key, None)
        config_map["data"]["config.yml"] = yaml.safe_dump(document, sort_keys=False)
    return outside


def registry_configuration(words: str) -> Object | None:
    """The configuration of a registry that is in this text; None: it is something else."""
    try:
        document = yaml.safe_load(words)
    except yaml.YAMLError:
        return None
    return document if isinstance(document, dict) and {"storage", "http"} <= document.keys() else None
