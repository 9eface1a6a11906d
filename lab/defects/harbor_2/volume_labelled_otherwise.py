"""The registry's volume was given another label after it was bound: the claim's selector no longer chooses it."""

from lab.defects import Defect, Lab


def _label(lab: Lab, component: str) -> None:
    lab.kubectl("label", "persistentvolume", "harbor-2-registry-pv", f"component={component}", "--overwrite")


DEFECT = Defect(
    report="the reference deployment's own warning, of labels and selectors",
    shows="nothing, until the claim is made anew: it stays Pending, or takes another part's volume",
    turns_red=frozenset({"storage.claims-bound-to-intended-volume"}),
    hint_says=("selector", "labels"),
    plant_outside=lambda lab: _label(lab, "storage"),
    heal_outside=lambda lab: _label(lab, "registry"),
)
