"""What it means that a registry refuses a type of manifest: it is too old for it, or it differs from its siblings."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import DOCKER, OCI, image
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
    """Whether OCI manifests that were refused are a fault, by asking each of `doors` that refused for simpler ones.

    Not applicable: every replica takes docker's manifests, and none even the smallest of OCI. Where only some refuse,
    they are offenders; so is who takes OCI images and not what was sent, and who takes no manifest at all.
    """
    for door, refusal in refusals.items():
        with findings.about(door.object, "takes a manifest of docker's own type"):
            registry_asks.push(door.registry, image(DOCKER, run_id=run_id), f"{project}/types", door.name)
        with findings.about(
            door.object, "takes what it was sent of OCI, as it takes a small OCI image"
        ) as sent:
            try:
                registry_asks.push(door.registry, image(OCI, run_id=run_id), f"{project}/types", door.name)
            except TypeRefused:
                continue
            sent.wrong(str(refusal))
    if not refusals or findings.offenders:
        return
    if all(door in refusals for door in behind(doors)):
        # Nobody knows the types; what the refusals say is the reason.
        not_applicable(f"the registry knows no OCI manifests, on no replica: {next(iter(refusals.values()))}")
    for door, refusal in refusals.items():
        others = "the replicas behind it" if door.is_front else "other replicas"
        findings.wrong(door.object, f"takes OCI manifests, as {others} do", str(refusal))
