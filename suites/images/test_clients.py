"""Clients beside docker: what one of them pushes the others pull."""

from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import OCI, image
from harbor_verify.clients.image import digest_of
from harbor_verify.clients.registry import Registry
from harbor_verify.findings import Findings
from harbor_verify.programs.client import Client, Kind
from harbor_verify.programs.matrix import Cell, table
from harbor_verify.target import Target

_TAG = "1.0.0"
"""A version, as charts must have one."""


@check(
    "images.clients-read-each-other",
    hint="The check's folder has the matrix: who pushed, and who could pull it. A whole row: what was pushed is not "
    "there, or not on every replica; pull it by its digest from each. A whole column: that client is refused or is "
    "given something else; its words are told, run it by hand. Only some kinds (artifact, chart, signature): something "
    "in front of Harbor, or one replica, does not know their media types. All of them: look at the red checks of "
    "registry and images first.",
    source="OCI distribution specification: pull and push; the clients' own manuals",
    needs=("clients",),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "registry.busybox-push-pull",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
        "images.layer-sizes",
        "images.oci-index-unchanged",
        "images.upload-forms",
    ),
)
def test_what_one_client_pushes_the_others_pull(
    harbor: Target,
    findings: Findings,
    registry_clients: tuple[list[Client], dict[str, str]],
    project,
    run_id,
    check_folder,
    measured,
    tell,
    redacted,
):
    """Each client pushes through the front door, and every other that can read that kind pulls the same digest.

    Source: OCI distribution specification. docker, skopeo, crane, oras, regctl, buildah, podman, helm (a chart) and
    cosign (a signature), those of them that are here. A kind that a client cannot handle is not asked of it.
    """
    clients, left_out = registry_clients
    front = harbor.front_registry_for_all(harbor.front_door.http)
    cells: dict[tuple[str, str], Cell] = {}
    for pusher in clients:
        repository = f"{project}/by-{pusher.name}"
        of_row = {each.name: Cell.NOT_APPLICABLE for each in clients}
        tag = digest = ""
        with findings.about(f"client {pusher.name}", f"pushes {_a(pusher.pushes)} that comes back") as pushed:
            tag, digest = _push(pusher, front, repository, run_id)
            if there := _wrong_there(front, repository, tag, digest):
                pushed.wrong(there)
        for puller in clients if tag else ():
            if pusher.pushes not in puller.pulls:
                continue
            of_row[puller.name] = Cell.UNKNOWN
            before = len(findings.offenders)
            expected = f"pulls {_a(pusher.pushes)} that {pusher.name} pushed, {repository}:{tag}"
            with findings.about(f"client {puller.name}", expected) as pulled:
                came = puller.pull(repository, tag)
                if came and came != digest:
                    pulled.wrong(f"digest {came}", expected=f"{expected}, of digest {digest}")
                of_row[puller.name] = Cell.SAME
            if len(findings.offenders) > before:
                of_row[puller.name] = Cell.WRONG
        cells |= {(pusher.name, name): cell for name, cell in of_row.items()}
    told = redacted(table(clients, cells, left_out))
    (check_folder / "matrix.txt").write_text(f"{told}\n")
    for line in told.splitlines():
        tell(line)
    measured["client_pairs_count"] = sum(cell is Cell.SAME for cell in cells.values())


def _push(pusher: Client, front: Registry, repository: str, run_id: str) -> tuple[str, str]:
    """The tag and the digest of what was pushed. Raises AnswerError, and what the client raises."""
    if pusher.pushes is not Kind.SIGNATURE:
        return _TAG, pusher.push(repository, _TAG)
    signed = image(OCI, run_id=run_id)
    registry_asks.push(front, signed, repository, _TAG)
    pusher.push(repository, _TAG)
    tag = f"{signed.digest.replace(':', '-')}.sig"
    return tag, digest_of(registry_asks.manifest(front, "GET", repository, tag).content)


def _wrong_there(front: Registry, repository: str, tag: str, digest: str) -> str:
    """What is wrong with what the suite's own client reads; empty: nothing. Raises AnswerError."""
    manifest = registry_asks.manifest(front, "GET", repository, tag).content
    if digest_of(manifest) != digest:
        return f"{repository}:{tag} has digest {digest_of(manifest)}, and it says to have pushed {digest}"
    registry_asks.require_blobs(front, repository, manifest)
    return ""


def _a(kind: Kind) -> str:
    return f"an {kind}" if kind in (Kind.IMAGE, Kind.ARTIFACT) else f"a {kind}"
