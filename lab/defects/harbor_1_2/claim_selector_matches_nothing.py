"""log-pvc asks for a volume with a label that none has."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _ask_for_another_label(objects: list[Object]) -> None:
    claim = find(objects, "PersistentVolumeClaim", "log-pvc")
    claim["spec"]["selector"]["matchLabels"]["type"] = "logs"


DEFECT = Defect(
    report="the reference deployment's own warning",
    shows="the claim is Pending, and so is the jobservice's pod",
    turns_red=frozenset(
        {
            "configuration.components-replicated",
            "configuration.services-select-every-ready-replica",
            "failover.job-pod-kill",
            "storage.capacity-honoured",
            "storage.claims-bound",
            "storage.claims-bound-to-intended-volume",
            "storage.reclaim-policy-retains",
            "storage.volume-mounted-in-every-replica",
        }
    ),
    causes=frozenset({"storage.claims-bound"}),
    change=_ask_for_another_label,
    unready=frozenset({"jobservice-rc"}),
)
