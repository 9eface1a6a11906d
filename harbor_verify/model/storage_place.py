"""Which server, or which one node, has what is stored, as far as Kubernetes shows it.

Source: Kubernetes: PersistentVolume (nfs, csi, nodeAffinity), Volume (nfs, csi); csi-driver-nfs and csi-driver-smb:
volumeAttributes; distribution: storage drivers.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from kubernetes.client import V1PersistentVolume, V1Volume, V1VolumeNodeAffinity

from harbor_verify.model.addresses import DEFAULT_PORTS
from harbor_verify.model.configuration import RegistryStorage
from harbor_verify.model.volumes import source_of

_OF_ONE_NODE = re.compile(r"(?:.*/)?(?:hostname|node|nodename|nodeid)")
"""Labels that each node has for itself: kubernetes.io/hostname, topology.topolvm.io/node, openebs.io/nodename, …"""
_NFS, _SMB = 2049, 445
_SHARES = {"nfs.csi.k8s.io": ("server", _NFS), "smb.csi.k8s.io": ("source", _SMB)}
"""CSI drivers that mount what one server gives, which attribute names that, and at which port it answers."""


@dataclass(frozen=True)
class StoragePlace:
    """`what` it is, in words. `host`, `port`: whoever has it, by name or address; `node`: the one that can mount it."""

    what: str
    host: str = ""
    port: int = 0
    node: str = ""


def of_volume(volume: V1PersistentVolume) -> StoragePlace:
    """Where a PersistentVolume has its data."""
    spec = volume.spec
    what = source_of(volume) or f"PersistentVolume {volume.metadata.name}"
    if node := _only_node(spec.node_affinity):
        return StoragePlace(what, node=node)
    return StoragePlace(what, *_server(spec))


def of_pod(volume: V1Volume) -> StoragePlace | None:
    """Where a volume has its data that a pod names without a claim; None where that is no share of a server's."""
    server, port = _server(volume)
    return StoragePlace(f"volume {volume.name} of server {server}", server, port) if server else None


def of_bucket(storage: RegistryStorage) -> StoragePlace:
    """Where an object store is. A cloud's own has no address in the registry's settings."""
    what, address = storage.bucket or f"driver {storage.driver}", storage.address
    if not address:
        return StoragePlace(what)
    told = urlsplit(address if "://" in address else f"https://{address}")
    try:
        port = told.port or DEFAULT_PORTS.get(told.scheme, 0)
    except ValueError:
        port = 0  # none that there is
    return StoragePlace(what, told.hostname or "", port)


def _server(source: object) -> tuple[str, int]:
    """Host and port of the server that a share is of; ("", 0): of none."""
    if nfs := getattr(source, "nfs", None):
        return str(nfs.server), _NFS
    csi = getattr(source, "csi", None)
    if csi is None or csi.driver not in _SHARES:
        return "", 0
    attribute, port = _SHARES[csi.driver]
    named = (csi.volume_attributes or {}).get(attribute) or ""
    return named.strip("/").partition("/")[0], port


def _only_node(affinity: V1VolumeNodeAffinity | None) -> str:
    """The one node that may use a volume; empty where there are others, or where none is told."""
    terms = (affinity.required.node_selector_terms if affinity and affinity.required else None) or []
    named: set[str] = set()
    for term in terms:
        values = [
            set(each.values or ())
            for each in term.match_expressions or ()
            if each.operator == "In" and _OF_ONE_NODE.fullmatch(each.key)
        ]
        if not values:
            return ""
        named |= set.intersection(*values)
    return named.pop() if len(named) == 1 else ""
