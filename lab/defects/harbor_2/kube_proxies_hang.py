"""Every node's kube-proxy hangs: what it has written leads on, and nothing is taken out of it any more."""

import os
import signal

from lab.defects import Defect, Lab, jobs_in_redis
from lab.kubernetes import nodes


def _send(number: signal.Signals) -> None:
    for node in nodes.ALL.values():
        if (pid := node.kube_proxy.pid()) is not None:
            os.kill(pid, number)


def _hang(lab: Lab) -> None:
    _send(signal.SIGSTOP)


def _go_on(lab: Lab) -> None:
    _send(signal.SIGCONT)
    # A schedule that led to a pod that is no more never fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="kubernetes: kube-proxy that no longer writes its rules (a lock of iptables, a lost watch)",
    shows="nothing, until a pod is replaced: of each three requests one goes to the pod that is no more, for good",
    # One only: what it breaks stays broken, so another would find nothing that is sound.
    turns_red=frozenset({"failover.web-scale-down"}),
    hint_says=("kube-proxy",),
    alone=True,
    plant_outside=_hang,
    heal_outside=_go_on,
)
