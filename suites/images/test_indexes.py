"""Images of several architectures, in both families of media types."""

from harbor_verify import refused_types
from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import DOCKER, OCI, Artifact, index
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.errors import TypeRefused
from harbor_verify.findings import Findings
from harbor_verify.replica_coverage import cross_pairs

_HINT = (
    "Other bytes of the same JSON: something on the way writes manifests anew; let the front door pass bodies and "
    "Content-Type as they are, without a filter or gzip of its own. A 404 on some replicas only: they do not share "
    "their storage or their database, or one of them is of another version. "
)


@check(
    "images.oci-index-unchanged",
    hint=_HINT + "A refusal (400, 415) by some replicas only: compare the images of the registry's pods.",
    source="OCI image specification 1.1: image index; OCI distribution specification: pull",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_an_oci_index_comes_back_unchanged_from_everywhere(
    doors: list[Door], findings: Findings, project, run_id, not_applicable
):
    """An OCI image and an index of several platforms come back byte for byte, with their types, wherever pushed.

    Source: OCI image specification. amd64, arm64 and what a builder says of its build (unknown/unknown), as
    buildx and podman push them. Tags are read through the front door and from every replica; each manifest,
    configuration and layer by its digest from the next replica, the front door among them.
    """

    def take(door: Door, findings: Findings) -> Artifact | TypeRefused | None:
        pushed, repository = index(OCI, run_id=run_id), f"{project}/oci-{door.name}"
        with findings.about(door.object, "takes an OCI index of three manifests, and a tag for one of them"):
            try:
                registry_asks.push(door.registry, pushed, repository, "index")
                registry_asks.put_manifest(door.registry, pushed.children[0], repository, "image")
            except TypeRefused as refusal:
                return refusal
            return pushed
        return None

    answers = list(zip(doors, findings.side_by_side(doors, take), strict=True))
    taken = [(door, answer) for door, answer in answers if isinstance(answer, Artifact)]
    refusals = {door: answer for door, answer in answers if isinstance(answer, TypeRefused)}
    refused_types.judge(findings, doors, refusals, project, run_id, not_applicable)
    next_door = dict(with_next(doors))

    def give(pair: tuple[tuple[Door, Artifact], Door], findings: Findings) -> None:
        (taker, pushed), giver = pair
        repository = f"{project}/oci-{taker.name}"
        with findings.about(giver.object, f"gives the OCI index that {taker.name} took, unchanged"):
            registry_asks.require_same_manifest(giver.registry, pushed.children[0], repository, "image")
            if giver is next_door[taker]:
                registry_asks.require_same(giver.registry, pushed, repository, "index")
            else:
                registry_asks.require_same_manifest(giver.registry, pushed, repository, "index")

    findings.side_by_side(cross_pairs(taken, doors), give)


@check(
    "images.docker-manifest-list-unchanged",
    hint=_HINT + "A refusal of every replica: the registry is older than manifest lists.",
    source="docker: image manifest version 2, schema 2 (manifest list); OCI distribution specification: pull",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_docker_manifest_list_comes_back_unchanged(doors: list[Door], findings: Findings, project, run_id):
    """A manifest list of docker's own types comes back byte for byte, with its types, from everywhere.

    Source: docker, image manifest version 2, schema 2. What came through the front door every replica gives,
    and what a replica took the front door gives; by tag and by digest.
    """
    front, first = doors[0], behind(doors)[0]
    for taker, givers in ((front, behind(doors)), (first, [front])):
        pushed, repository = index(DOCKER, run_id=run_id), f"{project}/docker-{taker.name}"
        with registry_asks.tagged(taker.registry, pushed, repository, "list"):
            was_taken = False
            with findings.about(taker.object, "takes a manifest list of two images"):
                registry_asks.push(taker.registry, pushed, repository, "list")
                was_taken = True
            for giver in givers if was_taken else ():
                with findings.about(
                    giver.object, f"gives the manifest list that {taker.name} took, unchanged"
                ):
                    registry_asks.require_same(giver.registry, pushed, repository, "list")
