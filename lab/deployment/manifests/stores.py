"""Stores of its own for another Harbor of the lab, on the servers that are there."""

from lab.deployment.manifests.objects import Object, change_text, find


def use_own(objects: list[Object], prefix: str, *, database: str, first_redis: int) -> None:
    """Let the Harbor whose objects have this prefix use another database, and three more of Redis from that one on.

    In place of core's 0, jobservice's 1 and the registry's 2.
    """
    jobs, cache = first_redis + 1, first_redis + 2
    core = find(objects, "ConfigMap", f"{prefix}-core")
    core["data"]["POSTGRESQL_DATABASE"] = database
    change_text(core, "_REDIS_URL_CORE", "/0?", f"/{first_redis}?")
    change_text(core, "_REDIS_URL_REG", "/2?", f"/{cache}?")
    change_text(find(objects, "ConfigMap", f"{prefix}-jobservice"), "config.yml", '/1"', f'/{jobs}"')
    change_text(find(objects, "ConfigMap", f"{prefix}-registry"), "config.yml", "db: 2", f"db: {cache}")
