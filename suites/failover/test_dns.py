"""The cluster's DNS is gone for a while."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK


@check(
    "failover.dns-loss",
    hint="Names that Harbor's parts call each other by were not known for 30 s. Still away when they were known again: "
    "liveness probes that ask for what needs a name restarted all replicas, or a program remembers that a name was not "
    "known. Shorter outages: a cache of names on each node (NodeLocal DNSCache, which serves stale answers), several "
    "replicas of CoreDNS on different nodes, connections that are kept, names with a dot at their end in {web}'s "
    "settings (ndots makes five questions of one).",
    source="Kubernetes: DNS for Services and Pods, NodeLocal DNSCache; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_the_clusters_dns_is_gone(experiments: Experiments, measured):
    """When the cluster's DNS is gone for 30 s, clients are answered soon after at the latest, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.dns_loss()
    measured.update(survival.measured)
    survival.require()
