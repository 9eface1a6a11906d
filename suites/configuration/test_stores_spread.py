"""Whether the loss of one node takes all pods of a store with it."""

from contextlib import suppress

from harbor_verify import stored
from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import CannotTell, WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure


@check(
    "configuration.stores-spread-over-nodes",
    hint="Give the pods of the store a podAntiAffinity (or topologySpreadConstraints) on kubernetes.io/hostname, then "
    "delete one of those that are together, a standby first. It only counts when a pod is placed: after a drain, or "
    "while a node was away, all may have come to be on one.",
    source="Kubernetes: podAntiAffinity, topologySpreadConstraints; ownerReferences",
    needs=("nodes",),
    severity=SHOULD,
    builds_on=("database.not-on-one-server", "sessions.store-not-on-one-server", "storage.not-on-one-server"),
)
def test_the_pods_of_a_store_are_on_several_nodes(harbor: Target, findings: Findings, not_applicable):
    """Where the database, Redis, or what images are kept on has several pods in the cluster, they are on several nodes.

    Source: the nodes of all pods that whoever is behind Harbor's settings asks for, the standbys that no Service leads
    to among them. Together on one they are lost together.
    """
    nodes = harbor.deployment.nodes()
    if len(nodes) < 2:
        not_applicable(f"the cluster has {len(nodes)} Ready node: there is no other to spread to")
    for what, hosts, where in _stores(harbor):
        try:
            owners = {owner for host in hosts for owner in harbor.backing(host, **where).owners}
        except CannotTell as reason:
            with findings.about(what, "its pods are on several nodes") as spread:
                spread.unknown(str(reason))
            continue
        used = [node for owner in owners for node in owner.nodes]
        asked = sum(owner.desired for owner in owners)
        if asked > 1:
            names = ", ".join(sorted(owner.object for owner in owners))
            with findings.about(f"{what}, {names}", f"its {asked} pods are on several nodes") as spread:
                if len(used) < 2:
                    spread.unknown(
                        f"{len(used)} of its {asked} pods Ready: where the others will be is not known"
                    )
                elif len(set(used)) < 2:
                    spread.wrong(f"all on {used[0]}")
    if not findings.examined:
        not_applicable("no store of Harbor's has several pods in this cluster")


def _stores(harbor):
    """(what, its hosts, how these are looked for) of each store that Harbor is told of."""
    # Settings that name none, or none that can be read, are other checks' to tell.
    with suppress(Failure, WrongConfiguration):
        yield "database", [harbor.database().host], {}
    with suppress(Failure, WrongConfiguration):
        if store := harbor.session_store():
            sentinels = [each.rpartition(":")[0] for each in store.sentinels]
            yield "Redis", list(dict.fromkeys(sentinels or [store.host])), {}
    for thing, place in stored.places(harbor):
        if place.host:
            yield thing, [place.host], {"port": place.port, "everywhere": True}
