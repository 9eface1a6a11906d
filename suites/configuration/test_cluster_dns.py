"""Whoever tells Harbor's pods where their database, their Redis and each other are."""

from harbor_verify.checks import check
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.model.resolver import nameservers
from harbor_verify.model.roles import Role
from harbor_verify.redundancy import once_two_answer
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "configuration.cluster-dns-not-on-one-pod",
    hint="While the one pod of the cluster's DNS is away (its node is lost: minutes), no part of Harbor finds another, "
    "nor its database, and every login, push and pull fails. `kubectl --namespace kube-system scale deployment coredns "
    "--replicas=2` (k3s: in its manifest, or by its autoscaler), spread over nodes by a podAntiAffinity; whoever runs "
    "the cluster may have to do that.",
    source="Linux: /etc/resolv.conf; Kubernetes: DNS for Services and Pods; Service spec.selector, ownerReferences",
    needs=("exec", "nodes"),
)
def test_the_clusters_dns_is_more_than_one_pod_on_more_than_one_node(
    harbor: Target, findings: Findings, settings: Settings, not_applicable
):
    """The DNS that Harbor's pods ask is more than one pod, and these are not all on one node.

    Source: the nameservers of a running web replica, and the Services of the cluster that have their addresses.
    """
    count = len(harbor.deployment.nodes())
    if count < 2:
        not_applicable(f"the cluster has {count} Ready node: with that all of it is lost")
    replica = next((each for each in harbor.replicas(Role.WEB) if each.running), None)
    if replica is None:
        raise CannotTell(
            f"no container of {harbor.workload(Role.WEB).object} runs, which could say whom it asks"
        )
    asked = nameservers(harbor.run(replica, ["cat", "/etc/resolv.conf"]))
    for address in asked:
        backing = once_two_answer(
            address,
            lambda address=address: harbor.backing(address, port=53, everywhere=True),
            timeout_s=settings.converge_timeout_s,
        )
        if not backing.in_cluster:
            continue
        nodes = [node for owner in backing.owners for node in owner.nodes]
        with findings.about(backing.way[-1], "several pods, on several nodes, answer") as dns:
            if len(nodes) < 2 <= len(backing.pods):
                dns.wrong(f"{len(nodes)} of its {len(backing.pods)} pods Ready ({backing})")
            elif len(nodes) < 2:
                dns.wrong(f"1 pod ({backing})")
            elif len(set(nodes)) < 2:
                dns.wrong(f"its {len(nodes)} pods are all on {nodes[0]} ({backing})")
    if not findings.examined:
        not_applicable(
            f"Harbor's pods ask {', '.join(asked) or 'nobody'}, which no Service has that may be seen (a cache on each "
            "node, or DNS outside): whether there is more than one was NOT verified"
        )
