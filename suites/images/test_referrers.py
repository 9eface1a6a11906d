"""Signatures, attestations and bills of materials: artifacts that refer to an image."""

from dataclasses import dataclass

from harbor_verify import refused_types
from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import OCI, Artifact, image, referrer, referrers_index, referrers_tag
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.errors import TypeRefused
from harbor_verify.findings import Findings
from harbor_verify.replica_coverage import cross_pairs

_SIGNATURE = "application/vnd.harbor-verify.signature"
_MATERIALS = "application/vnd.harbor-verify.materials"


@dataclass(frozen=True)
class _Signed:
    """An image and what refers to it, by type of artifact."""

    repository: str
    subject: Artifact
    referring: dict[str, Artifact]


@check(
    "images.referrers-listed",
    hint="A list without the artifact on some replicas only: they ask different databases, or do not share "
    "their storage. 404 by some only: they are of different versions, or the front door does not pass "
    "`/v2/…/referrers/…` and its query on. Where signatures are missing, admission controllers refuse the "
    "image.",
    source="OCI distribution specification 1.1: listing referrers, referrers tag schema",
    builds_on=(
        "images.oci-index-unchanged",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_what_refers_to_an_image_is_found_everywhere(
    doors: list[Door], findings: Findings, project, run_id, not_applicable
):
    """Artifacts that refer to an image are found from every replica: listed, or under the tag that stands in for that.

    Source: OCI distribution specification. A registry without the list answers 404, and the client keeps the
    list itself, as an index under a tag that is made of the image's digest; both are right, but all replicas
    must do the same.
    """

    def sign(door: Door, findings: Findings) -> _Signed | TypeRefused | None:
        with findings.about(door.object, "takes an image and two artifacts that refer to it"):
            try:
                return _sign(door, f"{project}/referred-{door.name}", run_id)
            except TypeRefused as refusal:
                return refusal
        return None

    answers = list(zip(doors, findings.side_by_side(doors, sign), strict=True))
    signed = {door: answer for door, answer in answers if isinstance(answer, _Signed)}
    refusals = {door: answer for door, answer in answers if isinstance(answer, TypeRefused)}
    refused_types.judge(findings, doors, refusals, project, run_id, not_applicable)
    listing, silent = [], []
    for giver in doors if signed else ():
        each = signed.get(giver) or next(iter(signed.values()))
        with findings.about(giver.object, f"answers who refers to {each.subject.digest[:19]}"):
            found = registry_asks.referrers(giver.registry, each.repository, each.subject)
            (listing if found else silent).append(giver)
    if behind(listing):
        for giver in silent:
            findings.wrong(giver.object, "lists referrers, as other replicas do", "404")
        next_door = dict(with_next(doors))
        for taker, each in signed.items():
            giver = next_door[taker]
            if giver not in listing:
                continue
            expected = f"lists the two artifacts that refer to the image that {taker.name} took"
            with findings.about(giver.object, expected) as listed:
                if wrong := _wrong_in_lists(giver, each):
                    listed.wrong(wrong)
        return
    for giver in listing:
        findings.wrong(giver.object, "404 for referrers, as the replicas behind it answer", "a list")
    pairs = cross_pairs(list(signed), doors)
    for taker, each in signed.items():
        kept = referrers_index([(artifact, kind) for kind, artifact in each.referring.items()])
        was_taken = False
        with findings.about(taker.object, "takes the index under the tag that stands in for the list"):
            registry_asks.put_manifest(taker.registry, kept, each.repository, referrers_tag(each.subject))
            was_taken = True
        for giver in [giver for other, giver in pairs if other is taker] if was_taken else ():
            with findings.about(giver.object, f"gives the index that {taker.name} took under that tag"):
                registry_asks.require_same_manifest(
                    giver.registry, kept, each.repository, referrers_tag(each.subject)
                )


def _sign(door: Door, repository: str, run_id: str) -> _Signed:
    """Push an image and its artifacts. Raises TypeRefused, AnswerError."""
    subject = image(OCI, run_id=run_id)
    registry_asks.push(door.registry, subject, repository, "signed")
    referring = {kind: referrer(subject, kind) for kind in (_SIGNATURE, _MATERIALS)}
    for artifact in referring.values():
        registry_asks.push(door.registry, artifact, repository)
    return _Signed(repository, subject, referring)


def _wrong_in_lists(giver: Door, signed: _Signed) -> str:
    """What is wrong with the whole list or with one of a single type; empty: nothing. Raises AnswerError."""
    whole = registry_asks.referrers(giver.registry, signed.repository, signed.subject)
    some = registry_asks.referrers(giver.registry, signed.repository, signed.subject, _SIGNATURE)
    if whole is None or some is None:
        return "404 at one time and a list at another"
    if whole.media_type != OCI.index:
        return f"Content-Type {whole.media_type or 'none'}, not {OCI.index}"
    for kind, artifact in signed.referring.items():
        entry = whole.by_digest.get(artifact.digest)
        if entry is None:
            return f"{len(whole.by_digest)} entries, and not {artifact.digest[:19]} ({kind})"
        wanted = {**artifact.described, "artifactType": kind}
        for name, value in wanted.items():
            if entry.get(name) != value:
                return f"{name} {entry.get(name)!r} of {artifact.digest[:19]}, not {value!r}"
    signature, materials = signed.referring[_SIGNATURE].digest, signed.referring[_MATERIALS].digest
    if signature not in some.by_digest:
        return f"the list of {_SIGNATURE} is without {signature[:19]}"
    if some.is_filtered == (materials in some.by_digest):
        says = "says that it has filtered by artifactType" if some.is_filtered else "does not say that it has"
        holds = "holds another type" if materials in some.by_digest else "leaves out another type"
        return f"the list of {_SIGNATURE} {holds}, and {says} (OCI-Filters-Applied)"
    return ""
