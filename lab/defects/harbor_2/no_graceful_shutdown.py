"""Pods end the moment that they are told to, and the nodes hear of it twenty seconds later, as in a large cluster:
until then requests are led to them, and nobody asks another one.
"""

from dataclasses import replace

from lab.defects import Defect, Lab
from lab.deployment.manifests.objects import Object, of_kind
from lab.kubernetes import nodes


def _end_at_once(objects: list[Object]) -> None:
    for deployment in of_kind(objects, "Deployment"):
        deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1


def _write_rules_late(lab: Lab) -> None:
    for node in nodes.ALL.values():
        node.kube_proxy.stop()
        replace(node.kube_proxy, argv=(*node.kube_proxy.argv, "--iptables-min-sync-period=20s")).start()


def _write_rules_soon(lab: Lab) -> None:
    for node in nodes.ALL.values():
        node.kube_proxy.stop()
        node.kube_proxy.start()


DEFECT = Defect(
    report="hh#2156, hh#1722",
    shows="nothing, until pods are replaced: some requests fail with each upgrade, scale-down and drained node",
    turns_red=frozenset(
        {
            "failover.pod-kill-during-node-drain",
            "failover.registry-rolling-restart",
            "failover.web-rolling-restart",
        }
    ),
    # So few pods are replaced that the nodes may have heard of each in time; a schedule that is due while they have not
    # is told to a pod that is no more.
    may_turn_red=frozenset({"failover.node-drain", "failover.web-scale-down", "jobs.schedules-fire"}),
    chance_explains=True,
    hint_says=("preStop",),
    layout="chart-probes",
    change=_end_at_once,
    plant_outside=_write_rules_late,
    heal_outside=_write_rules_soon,
)
