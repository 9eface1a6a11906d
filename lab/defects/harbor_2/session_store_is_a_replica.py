"""core keeps sessions in a Redis that follows another one: it reads there, and writes nothing."""

from lab import settings
from lab.defects import Defect, Lab
from lab.defects.edit import Edit
from lab.stores import redis_sentinel

_PRIMARY, *_, _REPLICA = settings.REDIS
_URL = f"redis://:{redis_sentinel.PASSWORD}@{settings.REDIS[_REPLICA]}:{redis_sentinel.PORT}/0?idle_timeout_seconds=30"
_EDIT = Edit("harbor-core", "_REDIS_URL_CORE", _URL, workload="harbor-core")


def _plant_on_one(lab: Lab) -> None:
    redis_sentinel.make_primary(_PRIMARY)
    _EDIT.plant_on_one(lab)


ON_ONE = Defect(
    report="h#14238",
    shows="one login of three is answered 200, and is none: the next request is from nobody",
    turns_red=frozenset(
        {
            "access.login-accepts-right-password",
            "access.logout-ends-session-everywhere",
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "configuration.session-store-configured",
            "sessions.known-to-every-replica",
            "sessions.stored-in-redis",
        }
    ),
    may_turn_red=frozenset({"sessions.browser-session-through-front-door"}),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("kubectl rollout restart",),
    plant_outside=_plant_on_one,
    heal_outside=_EDIT.heal_one,
)
