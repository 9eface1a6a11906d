"""The cluster's DNS has one pod, on one node."""

from lab import settings
from lab.defects import Defect, Lab
from lab.kubernetes import dns


def _on_one_node(lab: Lab) -> None:
    dns.ensure(only_on=next(iter(settings.NODES)))
    dns.wait_ready(1)


def _on_all(lab: Lab) -> None:
    dns.ensure()
    dns.wait_ready()


DEFECT = Defect(
    report="k3s: one replica of CoreDNS unless told otherwise",
    shows="nothing, until that node is lost: then no part finds another for minutes",
    turns_red=frozenset({"configuration.cluster-dns-not-on-one-pod"}),
    hint_says=("coredns", "--replicas=2"),
    plant_outside=_on_one_node,
    heal_outside=_on_all,
)
