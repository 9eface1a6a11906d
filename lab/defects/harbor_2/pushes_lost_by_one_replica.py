"""One registry replica keeps one push in fifty for itself: others hide five of the 256 folders of blobs."""

from lab.defects import Defect, Lab, registry_mounts, whatever_pushes

_BLOBS = "/storage/docker/registry/v2/blobs/sha256"
_FOLDERS = ("17", "4a", "83", "b5", "e0")
"""A manifest goes to each with the same chance, by the first byte of its digest."""
_USER = 10000


def _plant(lab: Lab) -> None:
    first = registry_mounts.processes(lab)[0]
    for name in _FOLDERS:
        # As the registry's user: in an empty volume the folders above are made, too, and it has to write there.
        registry_mounts.run_inside(first, f"mkdir -p {_BLOBS}/{name}", user=_USER)
        registry_mounts.hide(first, f"{_BLOBS}/{name}", "-o", f"uid={_USER},gid={_USER}")


def _heal(lab: Lab) -> None:
    for name in _FOLDERS:
        registry_mounts.show(lab, f"{_BLOBS}/{name}")


DEFECT = Defect(
    report="h#15234, h#17504: a mount that is not what it was",
    shows="one push in fifty that one of the replicas takes is refused with 500, or can be pulled from that one alone",
    turns_red=frozenset({"registry.every-push-kept"}),
    may_turn_red=whatever_pushes.WITH_RIGHTS_AND_PARTS
    | {
        "access.docker-login",
        "integrity.images-whole",
        "integrity.redis-vouches-for-what-is-there",
        "registry.pushed-on-one-pulled-on-every",
        "registry.upload-continues-on-another-replica",
        "storage.image-survives-registry-pod-deletion",
    },
    chance_explains=True,
    hint_says=("keep part of", "delete their pods"),
    layout="reference",
    plant_outside=_plant,
    heal_outside=_heal,
)
