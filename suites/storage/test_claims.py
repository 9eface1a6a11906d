"""Harbor's PersistentVolumeClaims."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.labels import words
from harbor_verify.target import Target


@check(
    "storage.claims-bound",
    hint="`kubectl describe pvc` says why: no PersistentVolume has the labels that the claim's selector asks for, "
    "its access mode or its capacity, or another claim holds the one that has.",
    source="Kubernetes: PersistentVolumeClaim status.phase",
)
def test_every_claim_that_harbor_uses_is_bound(harbor: Target, findings: Findings, not_applicable):
    """Every PersistentVolumeClaim that Harbor's pods use is Bound.

    Source: Kubernetes API, PersistentVolumeClaim status.phase. Harbor's pods stay Pending without.
    """
    volumes = harbor.deployment.volumes()
    if not volumes:
        not_applicable("Harbor's pods use no PersistentVolumeClaim")
    for volume in volumes:
        with findings.about(volume.object, f"phase Bound, as {', '.join(volume.used_by)} needs it") as claim:
            if volume.phase != "Bound":
                claim.wrong(
                    f"phase {volume.phase}, {_asked(volume)}" if volume.claim else "there is no such claim"
                )


def _asked(volume):
    spec = volume.claim.spec
    return (
        f"asks for {', '.join(spec.access_modes or [])} {(spec.resources.requests or {}).get('storage', '')}"
        + (f" of a volume labelled {words(spec.selector)}" if spec.selector else "")
        + (f" of class {spec.storage_class_name}" if spec.storage_class_name else "")
    )
