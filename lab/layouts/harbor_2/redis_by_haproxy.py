"""Harbor knows no Sentinels: HAProxy leads it to the Redis that is primary, by its own word and by the Sentinels'."""

from lab import settings
from lab.deployment.manifests import stores
from lab.deployment.manifests.objects import Object
from lab.layouts import Layout
from lab.stores import redis_sentinel


def _lead_by_haproxy(objects: list[Object]) -> None:
    stores.use_redis(objects, f":{redis_sentinel.PASSWORD}@", settings.LOAD_BALANCER, redis_sentinel.PORT)


LAYOUT = Layout(
    about="Redis behind HAProxy, which asks each server and the Sentinels who is primary",
    change=_lead_by_haproxy,
    not_applicable=frozenset({"sessions.sentinels-can-elect"}),
)
