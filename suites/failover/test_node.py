"""Nodes are lost, drained, or short of CPU."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


# First: after a drain the pods that it moved stay together where they are.
@check(
    "failover.node-loss",
    hint="Packets to a lost node go nowhere, and Services lead to its pods until Kubernetes has noticed (40 s, "
    "node-monitor-grace-period): until then whoever asks has to try another replica after a short time to connect "
    "(nginx: proxy_connect_timeout 2s, the upstream several times). Flapping: a Service still leads to "
    "a pod that is gone, or whoever kept a connection to one waits for it (net.ipv4.tcp_retries2 of the pods, TCP user "
    "time-outs). All replicas of a part on one node: see configuration.replicas-spread-over-nodes.",
    source="Kubernetes: node-monitor-grace-period; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_node_is_lost(experiments: Experiments, measured):
    """While a node is lost with all that is on it, clients go without answers for a while at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.node_loss()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.zone-loss",
    hint="Two nodes went at once, and what is left has to carry all: a replica of each part on it (three replicas on "
    "three nodes; topologySpreadConstraints by zone, where there are zones), and room for what comes. Whatever is told "
    "of failover.node-loss holds here, too.",
    source="Kubernetes: node-monitor-grace-period, topologySpreadConstraints; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "machine-control",
    ),
    builds_on=(*CLIENTS_AT_WORK, "failover.node-loss"),
)
def test_clients_get_by_when_two_nodes_are_lost(experiments: Experiments, measured):
    """While two nodes are lost at once, clients go without answers for a while at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget. Not applicable where all replicas of a part are on them.
    """
    survival = experiments.zone_loss()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.node-pressure",
    hint="A replica that gets hardly any CPU answers late and is not dead. Its readiness probe has to notice "
    "(timeoutSeconds of a second or two), so that its Service leads elsewhere; whoever stands before it has to try "
    "another one ({try_another}). CPU requests for Harbor's pods keep others on the node from taking it. Restarts that "
    "go on: a liveness probe that is as impatient kills what would have come through.",
    source="Kubernetes: CPU requests and limits, readinessProbe timeoutSeconds; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_node_has_no_cpu_left(experiments: Experiments, measured):
    """While the pods of a node get hardly any CPU, clients go without answers for seconds at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.node_pressure()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.node-memory-pressure",
    hint="A node that has no memory to give reads programs from its disk again and again, is slow, and kills one in "
    "the end. Others have to answer meanwhile: two replicas on two nodes, a readiness probe that notices in "
    "seconds, and clients led elsewhere ({try_another}). Memory requests that are true keep a node from being "
    "promised to more than it can carry. Not whole again: what needs more to start than it has (`kubectl describe "
    "pod`: OOMKilled).",
    source="Kubernetes: memory requests and limits, node-pressure eviction; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_node_has_no_memory_left(experiments: Experiments, measured):
    """While a node's pods get no more memory, clients go without answers for seconds at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.node_memory_pressure()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.node-drain",
    hint="Requests lost: pods end before their endpoints are gone (a preStop sleep). A drain that does not come to "
    "its end: a PodDisruptionBudget that lets nothing go, `kubectl get poddisruptionbudgets`. All replicas of a part "
    "gone at once: see configuration.disruption-budgets-present and configuration.replicas-spread-over-nodes. Answers "
    "that were only slow: the nodes that took the pods over are busy starting them; give Harbor's pods CPU requests.",
    source="Kubernetes: drain, eviction, PodDisruptionBudget; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "node-changes",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_a_node_is_drained(experiments: Experiments, measured):
    """While a node is drained of the pods of Harbor's parts, no request fails, nothing is lost, all are Ready again.

    Source: budgets are settings; no loss is within any budget. A chart's own database and Redis stay where they are:
    one that keeps its data in its pod would end with it, and that there is but one pod of them is said elsewhere.
    """
    survival = experiments.node_drain()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.pod-kill-during-node-drain",
    hint="With one replica on its way out and another one dead, a third has to carry all: three replicas, each on "
    "another node. Requests lost for long: two were evicted at once, because no PodDisruptionBudget counts them "
    "(`kubectl get poddisruptionbudgets`), or it counts a pod that is dead as one that is there.",
    source="Kubernetes: drain, eviction, PodDisruptionBudget; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "node-changes",
    ),
    builds_on=(*CLIENTS_AT_WORK, "failover.node-drain", "failover.web-abrupt-pod-kill"),
)
def test_clients_hardly_notice_when_a_web_pod_dies_while_a_node_is_drained(
    experiments: Experiments, measured
):
    """When a web pod dies at once while another's node is drained, clients hardly notice, and nothing is lost.

    Source: budgets are settings; no loss is within any budget. What stays on the node is said at failover.node-drain.
    """
    survival = experiments.node_drain_kill(Role.WEB)
    measured.update(survival.measured)
    survival.require()
