"""Another secret key was put into the Secret of core, as each rendering of the chart makes a new one."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-core", "secretKey", "0123456789abcdef", workload="harbor-core", kind="Secret")
_REPORT = "h#12158, hh#2139, hh#2263"

ON_ONE = Defect(
    report=_REPORT,
    shows="passwords of other registries that one core has stored are unreadable to the others",
    turns_red=frozenset(
        {
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "configuration.secret-key-not-default",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("Secret",),
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
UNREAD = Defect(
    report=_REPORT,
    shows="nothing, until the next core is started: then nobody can read the passwords that are stored",
    turns_red=frozenset({"configuration.replicas-run-what-is-declared"}),
    hint_says=("take it back",),
    plant_outside=_EDIT.plant_unread,
    heal_outside=_EDIT.heal_unread,
)
