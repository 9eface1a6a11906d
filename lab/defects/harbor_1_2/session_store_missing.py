"""ui-rc does not give _REDIS_URL, so each ui keeps the sessions of its users in its own memory."""

from lab.defects import Defect
from lab.defects.harbor_1_2 import SOME_FAILOVER
from lab.deployment.manifests.objects import Object, container_of


def _forget_redis(objects: list[Object]) -> None:
    container = container_of(objects, "ui-rc")
    container["env"] = [variable for variable in container["env"] if variable["name"] != "_REDIS_URL"]


DEFECT = Defect(
    report="the reference deployment's own warning; h#15313",
    shows="a user who is signed in on one replica is unknown to the others, and to all once that replica dies",
    turns_red=frozenset(
        {
            "access.logout-ends-session-everywhere",
            "configuration.session-store-configured",
            "sessions.browser-session-through-front-door",
            "sessions.known-to-every-replica",
            "sessions.stored-in-redis",
            "sessions.survive-replica-deletion",
        }
    )
    | SOME_FAILOVER,
    causes=frozenset({"configuration.session-store-configured"}),
    not_applicable=frozenset(
        {
            "capacity.session-store-evicts-nothing",
            "capacity.session-store-has-room",
            "durability.session-store-writes-to-disk",
            "sessions.replicas-follow-the-primary",
            "sessions.store-not-on-one-server",
            "sessions.store-refuses-writes-alone",
        }
    ),
    change=_forget_redis,
)
