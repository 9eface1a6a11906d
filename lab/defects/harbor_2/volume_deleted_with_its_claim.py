"""The registry's volume is deleted with its claim, as is the default of a storage class."""

from lab.defects import Defect, Lab


def _set(lab: Lab, policy: str) -> None:
    patch = f'{{"spec":{{"persistentVolumeReclaimPolicy":"{policy}"}}}}'
    lab.kubectl("patch", "persistentvolume", "harbor-2-registry-pv", "--type=merge", f"--patch={patch}")


DEFECT = Defect(
    report="Kubernetes: persistentVolumeReclaimPolicy Delete, the default of storage classes",
    shows="nothing, until somebody deletes the claim, or the namespace: then all images are gone",
    turns_red=frozenset({"storage.reclaim-policy-retains"}),
    hint_says=("Retain",),
    takes=frozenset({"claims"}),
    plant_outside=lambda lab: _set(lab, "Delete"),
    heal_outside=lambda lab: _set(lab, "Retain"),
)
