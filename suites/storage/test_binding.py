"""Which volume a claim has got: the one that it asked for, and for itself alone."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model import labels
from harbor_verify.model.volumes import source_of
from harbor_verify.target import Target


@check(
    "storage.claims-bound-to-intended-volume",
    hint="`kubectl get pv --show-labels` shows which volumes there are. A Pending claim: give a free PersistentVolume "
    "the labels (and class, size, access mode) that the claim's selector asks for. A claim on a wrong volume: stop "
    "its users, copy the data, delete the claim and make it anew with the right selector or spec.volumeName. A "
    "Released volume keeps its old claimRef: `kubectl patch pv NAME --type json -p "
    '\'[{{"op":"remove","path":"/spec/claimRef"}}]\'`.',
    source="Kubernetes: PersistentVolumeClaim spec.selector, PersistentVolume spec.claimRef",
    needs=("volumes",),
    builds_on=("storage.claims-bound",),
)
def test_a_claim_is_bound_to_the_volume_that_it_asks_for_and_to_no_other_claims(
    harbor: Target, findings: Findings, not_applicable
):
    """Every claim is bound to a volume that its selector chooses, that names this claim, and that no other claim has.

    Source: Kubernetes API. A selector counts only when the claim is bound: labels and claims can change afterwards.
    Two volumes of one export that Harbor's containers mount different folders of (subPath) are each one's own.
    """
    volumes = harbor.deployment.volumes()
    if not volumes:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")
    for volume in volumes:
        with findings.about(volume.object, "bound to the volume that it asks for") as binding:
            for expected, observed in _wrong_with(volume):
                binding.wrong(observed, expected=expected)
    holders = {}
    for volume in volumes:
        for place in _places_of(volume):
            holders.setdefault(place, []).append(volume)
    for place, several in holders.items():
        together = [
            one for one in several if any(one.shares_folders_with(o) for o in several if o is not one)
        ]
        if together:
            claims = ", ".join(volume.claim_name for volume in together)
            findings.wrong(place, "is one claim's", f"is that of {claims}")


def _wrong_with(volume):
    """(expected, observed) of each thing that is wrong with a claim's binding."""
    selector = volume.claim.spec.selector if volume.claim else None
    intended = "bound to a volume" + (f" labelled {labels.words(selector)}" if selector else "")
    if volume.phase != "Bound":
        yield intended, f"phase {volume.phase}" if volume.claim else "there is no such claim"
        return
    name = f"PersistentVolume {volume.claim.spec.volume_name}"
    if volume.volume is None:
        yield intended, f"bound to {name}, which is not there"
        return
    has = volume.volume.metadata.labels or {}
    if selector and not labels.matches(selector, has):
        yield intended, f"bound to {name}, labelled {', '.join(labels.shown(has)) or 'not at all'}"
    reference = volume.volume.spec.claim_ref
    named = (reference.namespace, reference.name, reference.uid) if reference else None
    if named != (volume.namespace, volume.claim_name, volume.claim.metadata.uid):
        observed = f"{named[0]}/{named[1]} with UID {named[2]}" if named else "no claimRef"
        yield f"{name} names this claim, UID {volume.claim.metadata.uid}", observed


def _places_of(volume):
    """The volume that a claim is bound to, and where its data is, as far as that can be seen."""
    if volume.claim and volume.claim.spec.volume_name:
        yield f"PersistentVolume {volume.claim.spec.volume_name}"
    if volume.volume and (source := source_of(volume.volume)):
        yield source
