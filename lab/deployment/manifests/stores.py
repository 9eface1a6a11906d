"""Which database and Redis a Harbor of the lab uses, where these are others than in `deploy/`."""

import yaml

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


def use_redis(objects: list[Object], user_info: str, host: str, port: int) -> None:
    """Let all parts of Harbor reach Redis at this one address; `user_info` is what a URL has before it (":secret@")."""
    url = f"redis://{user_info}{host}:{port}"
    find(objects, "ConfigMap", "harbor-core")["data"] |= {
        "_REDIS_URL_CORE": f"{url}/0?idle_timeout_seconds=30",
        "_REDIS_URL_REG": f"{url}/2?idle_timeout_seconds=30",
    }
    jobservice = find(objects, "ConfigMap", "harbor-jobservice")["data"]
    document = yaml.safe_load(jobservice["config.yml"])
    document["worker_pool"]["redis_pool"]["redis_url"] = f"{url}/1"
    jobservice["config.yml"] = yaml.safe_dump(document, sort_keys=False)
    registry = find(objects, "ConfigMap", "harbor-registry")["data"]
    document = yaml.safe_load(registry["config.yml"])
    document["redis"]["addr"] = f"{host}:{port}"
    registry["config.yml"] = yaml.safe_dump(document, sort_keys=False)
