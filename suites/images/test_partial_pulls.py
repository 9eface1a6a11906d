"""Pulls that break off and go on."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.http import expect
from harbor_verify.clients.image import digest_of
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.errors import WrongContent
from harbor_verify.findings import Findings

_SIZE_BYTES = 256 * 1024
_PARTIAL = 206


@check(
    "images.pull-resumes",
    hint="A 206 must say which bytes it holds (Content-Range) and hold these: let the front door pass "
    "`Range` and `Content-Range` on, and cache no parts (nginx: no `slice`, no `proxy_cache` for /v2/). A "
    "replica that gives other bytes than its siblings: it does not share their storage, or its cache lies. "
    "Clients put such parts together.",
    source="RFC 9110: range requests; OCI distribution specification: pulling blobs",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_pull_that_breaks_off_goes_on_elsewhere(doors: list[Door], findings: Findings, project, new_image):
    """A pull that breaks off half-way goes on from another replica and ends with the right bytes, by parts or anew.

    Source: RFC 9110. A server that ignores Range and answers 200 with the whole blob is right, too: the
    client then starts anew. A 206 with other bytes, or that does not say which, is not.
    """
    content, repository, taker = new_image(_SIZE_BYTES).layer, f"{project}/resumed", behind(doors)[0]
    digest, size, half = digest_of(content), len(content), len(content) // 2
    with findings.about(taker.object, "takes a blob"):
        taker.registry.push_blob(repository, content)
    if findings.offenders:
        return

    def examine(each: tuple[Door, Door], findings: Findings) -> None:
        first, second = each
        begun = b""
        with findings.about(first.object, "gives the first half of a blob, and is then left"):
            begun = registry_asks.beginning(first.registry, repository, digest, half)
            if begun != content[:half]:
                raise WrongContent(f"the first {len(begun)} bytes are others")
        expected = f"goes on with a pull that {first.name} began, from byte {half} of {size}"
        with findings.about(second.object, expected) as resumed:
            if wrong := _wrong_part(second, repository, content, half, size - 1, open_end=True):
                resumed.wrong(wrong)
        for begin, end in ((0, 99), (half - 50, half + 49), (size - 1, size - 1)):
            with findings.about(
                second.object, f"gives bytes {begin}-{end} of a blob when asked for them"
            ) as part:
                if wrong := _wrong_part(second, repository, content, begin, end):
                    part.wrong(wrong)

    findings.side_by_side(with_next(doors), examine)


@check(
    "images.range-passed-on",
    hint="A pull that breaks off at 9 of 10 GiB then starts anew. Something between the clients and the "
    "replicas drops the header `Range`: look for `proxy_set_header Range` and for a cache in the front door.",
    source="RFC 9110: range requests (a server may ignore Range)",
    severity=SHOULD,
    builds_on=(
        "images.pull-resumes",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_part_is_given_as_a_part(doors: list[Door], findings: Findings, project, new_image, not_applicable):
    """Whoever is asked for a part of a blob gives that part alone, if any replica does.

    Source: RFC 9110. It is no mistake to send the whole, but a large pull that broke off then begins again.
    """
    content, repository, taker = new_image(_SIZE_BYTES).layer, f"{project}/parts", behind(doors)[0]
    with findings.about(taker.object, "takes a blob"):
        taker.registry.push_blob(repository, content)
    if findings.offenders:
        return

    def ask(door: Door, findings: Findings) -> int | None:
        with findings.about(door.object, "answers when it is asked for the first 100 bytes of a blob"):
            answer = door.registry.ask_blob("GET", repository, digest_of(content), Range="bytes=0-99")
            return expect(answer, 200, _PARTIAL).status_code
        return None

    statuses = dict(zip(doors, findings.side_by_side(doors, ask), strict=True))
    partial = [door for door, status in statuses.items() if status == _PARTIAL]
    whole = [door for door, status in statuses.items() if status == 200]
    if whole and not partial and not findings.offenders:
        not_applicable("no replica gives parts of a blob: Range is answered with the whole")
    for door in whole:
        findings.wrong(door.object, "gives 100 bytes (206), as other replicas do", "the whole blob (200)")


def _wrong_part(
    door: Door, repository: str, content: bytes, begin: int, end: int, *, open_end: bool = False
) -> str:
    """What is wrong with the answer to a request for bytes `begin` to `end`; empty: nothing. Raises AnswerError."""
    wanted = f"bytes={begin}-" if open_end else f"bytes={begin}-{end}"
    answer = door.registry.ask_blob("GET", repository, digest_of(content), Range=wanted)
    if expect(answer, 200, _PARTIAL).status_code == 200:
        return (
            ""
            if answer.content == content
            else f"200 with {len(answer.content)} bytes that are not the whole blob"
        )
    told, right = answer.headers.get("Content-Range", ""), f"bytes {begin}-{end}/{len(content)}"
    if told.strip() != right:
        return f"206 with Content-Range {told or 'none'}, not {right}"
    if answer.content != content[begin : end + 1]:
        return f"206 with {len(answer.content)} bytes that are not those of {right}"
    return ""
