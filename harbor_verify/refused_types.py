"""What it means that a registry refuses a type of manifest: it is too old for it, or it differs from its siblings."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import DOCKER, image
from harbor_verify.doors import Door, behind
from harbor_verify.errors import TypeRefused
from harbor_verify.findings import Findings


def judge(
    findings: Findings,
    doors: list[Door],
    refusals: Mapping[Door, TypeRefused],
    project: str,
    run_id: str,
    not_applicable: Callable[[str], NoReturn],
) -> None:
    """Whether OCI manifests that were refused are a fault, by asking each of `doors` that refused for docker's.

    Not applicable: every replica takes docker's manifests and none OCI's. Where only some refuse, they are
    offenders, and so is who takes no manifest at all.
    """
    for door in refusals:
        with findings.about(door.object, "takes a manifest of docker's own type"):
            registry_asks.push(door.registry, image(DOCKER, run_id=run_id), f"{project}/types", door.name)
    if not refusals or findings.offenders:
        return
    if all(door in refusals for door in behind(doors)):
        # Nobody knows the types; what the refusals say is the reason.
        not_applicable(f"the registry knows no OCI manifests, on no replica: {next(iter(refusals.values()))}")
    for door, refusal in refusals.items():
        findings.wrong(door.object, "takes OCI manifests, as other replicas do", str(refusal))
