"""Containers that die again and again, and are Ready whenever one looks."""

from datetime import timedelta

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_MANY = 10
_LATELY = timedelta(hours=1)
_OF_MEMORY = timedelta(days=1)


@check(
    "configuration.containers-stay-up",
    hint="OOMKilled: raise the container's memory limit, or find out what takes it (`kubectl top pod --containers`). "
    "Many restarts: `kubectl logs --previous` says what it died of; a liveness probe that is too strict kills, too "
    "(`kubectl describe pod`, events). While it is down its requests are lost.",
    source="Kubernetes: container status restartCount, lastState.terminated; report 1622 and 2222 of "
    "goharbor/harbor-helm",
    severity=SHOULD,
)
def test_containers_stay_up(harbor: Target, findings: Findings):
    """No container of Harbor's was killed for want of memory within a day, or goes on dying again and again.

    Source: what the kubelets say of the last end of each. Ten restarts or more, the last within an hour, are many:
    a few are what a lost node, or a database that was away, leaves behind.
    """
    now = clock.now()
    for replicas in harbor.deployment.all_replicas().values():
        for replica in replicas:
            with findings.about(replica.object, "its containers stay up") as pod:
                for status in replica.pod.status.container_statuses or ():
                    ended = status.last_state.terminated if status.last_state else None
                    if ended is None or ended.finished_at is None:
                        continue
                    since = now - ended.finished_at
                    is_out_of_memory = ended.reason == "OOMKilled" and since < _OF_MEMORY
                    if is_out_of_memory or (status.restart_count >= _MANY and since < _LATELY):
                        why = f"{ended.reason or 'ended'}, exit code {ended.exit_code}"
                        minutes = int(since.total_seconds() // 60)
                        pod.wrong(
                            f"container {status.name}: {status.restart_count} restarts, the last {minutes} min ago "
                            f"({why}){_limit_of(replica, status.name)}"
                        )


def _limit_of(replica, name):
    """The container's memory limit, in words; empty where there is none."""
    container = next((each for each in replica.pod.spec.containers if each.name == name), None)
    limits = (container.resources.limits if container and container.resources else None) or {}
    return f", memory limit {limits['memory']}" if "memory" in limits else ""
