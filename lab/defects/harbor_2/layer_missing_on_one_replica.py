"""One registry replica lacks a layer that the others have: its node shows less of the file system than there is."""

from lab.defects import Defect, Lab, left_images, registry_mounts


def _plant(lab: Lab) -> None:
    left_images.leave(lab)
    processes = registry_mounts.processes(lab)
    # The one that is asked for this layer first (harbor_verify.audit.walk), so that it is the same each time. Its
    # mounts are its own: the others, and the volume, keep the layer.
    asked_first = processes[int(left_images.DIGEST[-8:], 16) % len(processes)]
    registry_mounts.hide(asked_first, left_images.folder_of(left_images.DIGEST))


def _heal(lab: Lab) -> None:
    registry_mounts.show(lab, left_images.folder_of(left_images.DIGEST))
    left_images.remove(lab)


DEFECT = Defect(
    report="h#15234, h#17504: a mount that is not what it was",
    shows="every third pull of one image fails with 404 for a layer, and the next try works",
    turns_red=frozenset({"integrity.images-whole", "integrity.redis-vouches-for-what-is-there"}),
    causes=frozenset({"integrity.redis-vouches-for-what-is-there"}),
    hint_says=("leave Redis alone", "delete its pod"),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_plant,
    heal_outside=_heal,
)
