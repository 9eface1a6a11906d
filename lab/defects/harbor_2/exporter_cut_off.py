"""The exporter looks for core under a name that does not exist."""

from lab.defects import Defect
from lab.defects.edit import Edit
from lab.layouts.harbor_2.metrics import EXPORTER

DEFECT = Defect(
    report="none is known; Harbor: the exporter gives nothing of what it could not ask",
    shows="no alert is raised whatever happens: harbor_health and harbor_up are not 0, they are absent",
    turns_red=frozenset({"configuration.exporter-tells-the-truth"}),
    hint_says=("HARBOR_SERVICE_HOST", "absent(harbor_health)"),
    layout="metrics",
    change=Edit(f"{EXPORTER}-env", "HARBOR_SERVICE_HOST", "harbor-cores", workload=EXPORTER).everywhere,
)
