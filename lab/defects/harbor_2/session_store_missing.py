"""core is given _REDIS_URL_HARBOR in place of _REDIS_URL_CORE, so each keeps its users' sessions in its own memory."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _forget_redis(objects: list[Object]) -> None:
    data = find(objects, "ConfigMap", "harbor-core")["data"]
    data["_REDIS_URL_HARBOR"] = data.pop("_REDIS_URL_CORE")


DEFECT = Defect(
    report="h#15313; seen on Harbor 2.12: it starts in silence and calls itself healthy",
    shows="a user who is signed in on one replica is unknown to the others, and to all once that replica dies",
    turns_red=frozenset(
        {
            "access.logout-ends-session-everywhere",
            "configuration.session-store-configured",
            "sessions.browser-session-through-front-door",
            "sessions.known-to-every-replica",
            "sessions.stored-in-redis",
            "sessions.survive-replica-deletion",
            "failover.web-pod-kill",
        }
    ),
    causes=frozenset({"configuration.session-store-configured"}),
    not_applicable=frozenset(
        {
            "capacity.session-store-evicts-nothing",
            "capacity.session-store-has-room",
            "durability.session-store-writes-to-disk",
            "sessions.replicas-follow-the-primary",
            "sessions.sentinels-can-elect",
            "sessions.store-not-on-one-server",
            "sessions.store-refuses-writes-alone",
        }
    ),
    change=_forget_redis,
)
