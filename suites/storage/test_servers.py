"""How many servers stand behind what Harbor stores."""

from functools import cache

from harbor_verify import stored
from harbor_verify.checks import check
from harbor_verify.errors import CannotTell, NeedMissing, RightMissing
from harbor_verify.findings import Findings
from harbor_verify.redundancy import EXPECTED
from harbor_verify.target import Target


@check(
    "storage.not-on-one-server",
    hint="One pod of MinIO, or of an NFS server: while it, or its node, is away nothing is pushed or pulled, however "
    "many replicas Harbor has, and its disk is all that has the images. MinIO: distributed, four servers or more "
    "behind one Service. In the place of one NFS server: a file system that keeps data on several (CephFS, Longhorn), "
    "a filer that fails over, or an object store. A volume of one node (local, a provisioner of local paths): a "
    "StorageClass whose volumes are not tied to a node. Set Harbor read only, copy what is there, and then lead it to "
    "the new one.",
    source="Kubernetes: PersistentVolume nfs, csi, nodeAffinity; Service spec.selector, ownerReferences; distribution: "
    "storage drivers",
    builds_on=("storage.claims-bound",),
)
def test_what_is_stored_stands_on_more_than_one_server(
    harbor: Target, findings: Findings, need, not_applicable
):
    """What images and Harbor's other volumes are kept on is neither one pod of this cluster nor one of its nodes.

    Source: where PersistentVolumes, volumes of pods, and the registry's settings say that data is, and what stands
    there. What is outside of the cluster, or a driver's own, shows nothing of its servers.
    """
    if harbor.deployment.volumes():
        need("volumes")
    unseen, nodes_by_address = [], cache(harbor.deployment.nodes_by_address)
    for thing, place in stored.places(harbor):
        expected = f"{EXPECTED} ({place.what})"
        if place.node:
            with findings.about(thing, expected) as volume:
                volume.wrong(f"only node {place.node} can mount it: it is lost with that")
            continue
        try:
            backing = harbor.backing(place.host, port=place.port, everywhere=True) if place.host else None
            node = _only_node(nodes_by_address, backing.addresses) if backing else None
        except (CannotTell, NeedMissing) as reason:
            with findings.about(thing, expected):
                raise reason
            continue
        if node:
            with findings.about(thing, expected) as server:
                server.wrong(
                    f"{place.host} is an address of node {node}: nobody reaches it while that is away"
                )
            continue
        if backing is None or not backing.in_cluster:
            unseen.append(place.what)
            continue
        with findings.about(thing, expected) as server:
            if backing.alone:
                server.wrong(f"{backing.alone.object}: {backing.why_alone}")
    if not findings.examined:
        what = "; ".join(dict.fromkeys(unseen)) or "what Harbor stores"
        not_applicable(
            f"{what} shows nothing of its servers to Kubernetes: whether there is more than one was NOT verified"
        )


def _only_node(nodes_by_address, addresses):
    """The one node that has these addresses, at which no Service answers: it serves them itself, or by its port of one.

    None where they are of several, of none, or the account may not look.
    """
    try:
        known = nodes_by_address() if addresses else {}
    except RightMissing:
        return None
    nodes = {known.get(each) for each in addresses}
    return nodes.pop() if len(nodes) == 1 else None
