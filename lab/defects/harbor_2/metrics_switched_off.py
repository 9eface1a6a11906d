"""One core was started while metrics were switched off."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-core", "METRIC_ENABLE", "false", workload="harbor-core")

ON_ONE = Defect(
    report="none is known; the chart: metrics.enabled, and a ConfigMap that was edited by hand",
    shows="one core is missing in every graph, and no rule is about who is not there",
    turns_red=frozenset(
        {
            "configuration.metrics-count-requests",
            "configuration.metrics-served",
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("kubectl rollout restart",),
    layout="metrics",
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
