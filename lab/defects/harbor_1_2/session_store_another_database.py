"""One ui keeps sessions in another database of the same Redis: it was started while its ConfigMap named that."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-ui-config", "_REDIS_URL", old=",11", new=",12", workload="ui-rc")

ON_ONE = Defect(
    report="h#9841, hh#532",
    shows="whoever signs in on one replica is logged out by the next request to another",
    turns_red=frozenset(
        {
            "access.logout-ends-session-everywhere",
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "configuration.session-store-configured",
            "sessions.browser-session-through-front-door",
            "sessions.known-to-every-replica",
            "sessions.stored-in-redis",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("delete the pods",),
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
