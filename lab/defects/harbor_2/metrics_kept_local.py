"""The registry tells its metrics on localhost, where its debug port is without them."""

from lab.defects import Defect
from lab.defects.edit import Edit
from lab.layouts.harbor_2.metrics import PORT

DEFECT = Defect(
    report="none is known; distribution: http.debug.addr, localhost:5001 in every example",
    shows="everything says that metrics are on, and Prometheus is refused",
    turns_red=frozenset({"configuration.metrics-served"}),
    hint_says=("http.debug.addr",),
    layout="metrics",
    change=Edit(
        "harbor-registry",
        "config.yml",
        f"addr: localhost:{PORT}",
        old=f"addr: :{PORT}",
        workload="harbor-registry",
    ).everywhere,
)
