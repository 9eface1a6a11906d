"""What headers say of manifests and blobs, and what came."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import requests

from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.artifact import DOCKER, Artifact, index
from harbor_verify.clients.http import expect
from harbor_verify.clients.image import digest_of
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.findings import Findings

_NOT_MODIFIED = 304
_OTHER_TAG = '"sha256:' + 64 * "0" + '"'

_BUILDS_ON = (
    "registry.pushed-on-one-pulled-on-every",
    "configuration.registry-config-in-effect",
    "configuration.registry-trusts-token-key",
    "database.grants-sufficient",
)


@dataclass(frozen=True)
class _Thing:
    """A manifest or a blob: what it is called, how to ask for it, and what it holds."""

    name: str
    ask: Callable[[Door, str], requests.Response]
    content: bytes
    media_type: str
    """Empty where any will do."""


@check(
    "images.head-agrees-with-get",
    hint="Clients decide by HEAD whether to pull or to push at all. A length or a type that differs: a "
    "proxy that compresses or writes bodies anew, or answers HEAD itself (nginx: `gzip`, "
    "`proxy_cache_convert_head`). A digest header that is missing: a proxy drops Docker-Content-Digest. A "
    "HEAD of 200 and no bytes: the cache of blob descriptors knows more than the storage holds.",
    source="OCI distribution specification: checking if content exists; Docker-Content-Digest",
    builds_on=_BUILDS_ON,
)
def test_head_says_what_get_gives(doors: list[Door], findings: Findings, project, run_id):
    """HEAD of a manifest or a blob tells the length, the type and the digest of the bytes that GET gives.

    Source: OCI distribution specification. Of what one replica took each is asked, and the front door.
    """
    taker, pushed, repository, is_there = (
        behind(doors)[0],
        index(DOCKER, run_id=run_id),
        f"{project}/heads",
        False,
    )
    with registry_asks.tagged(taker.registry, pushed, repository, "list"):
        with findings.about(taker.object, "takes a manifest list of two images"):
            registry_asks.push(taker.registry, pushed, repository, "list")
            is_there = True

        def compare(each: tuple[_Thing, Door], findings: Findings) -> None:
            thing, giver = each
            with findings.about(giver.object, f"tells of {thing.name} what it gives") as told:
                if wrong := _disagreement(thing, thing.ask(giver, "HEAD"), thing.ask(giver, "GET")):
                    told.wrong(wrong)

        findings.side_by_side(product(_things(pushed, repository), doors) if is_there else (), compare)


@check(
    "images.unchanged-means-unchanged",
    hint="304 for something that the client does not have: a cache in front of Harbor answers for it, "
    "without asking; switch it off for /v2/ (nginx: `proxy_cache off;`). The client then uses other bytes "
    "than it was told of.",
    source="RFC 9110: If-None-Match; OCI distribution specification: pulling blobs",
    builds_on=_BUILDS_ON,
)
def test_only_what_the_client_has_is_not_sent_again(
    doors: list[Door], findings: Findings, project, new_image
):
    """Only whoever has a blob already is told that it is unchanged (304); who has another one gets all of its bytes.

    Source: RFC 9110. The client names what it has by the ETag that it was told. A server without ETags, or
    that sends the whole blob again, is right, too.
    """

    def examine(each: tuple[Door, Door], findings: Findings) -> None:
        taker, giver = each
        content, repository = new_image().layer, f"{project}/etags-{taker.name}"
        digest, is_there = digest_of(content), False
        with findings.about(taker.object, "takes a blob"):
            taker.registry.push_blob(repository, content)
            is_there = True
        if not is_there:
            return
        known = ""
        with findings.about(giver.object, f"gives the blob that {taker.name} took") as first:
            answer = expect(giver.registry.ask_blob("GET", repository, digest), 200)
            known = answer.headers.get("ETag", "")
            if answer.content != content:
                first.wrong("other bytes")
        for has, tag in (("this very blob", known), ("another one", _OTHER_TAG)):
            if not tag:
                continue
            with findings.about(
                giver.object, f"answers a client that has {has} and asks for the blob"
            ) as again:
                answer = giver.registry.ask_blob("GET", repository, digest, If_None_Match=tag)
                if expect(answer, 200, _NOT_MODIFIED).status_code == _NOT_MODIFIED:
                    if tag != known:
                        again.wrong(f"304 for If-None-Match {tag[:19]}…, which is no blob's")
                    elif answer.content:
                        again.wrong(f"304 with {len(answer.content)} bytes")
                elif answer.content != content:
                    again.wrong(f"200 with {len(answer.content)} bytes that are not the blob")

    findings.side_by_side(with_next(doors), examine)


def _things(pushed: Artifact, repository: str) -> list[_Thing]:
    """What can be asked for of a manifest list that was pushed under the tag `list`."""
    image = pushed.children[0]
    layer = image.blobs[-1]

    def manifest(reference: str, door: Door, method: str) -> requests.Response:
        return registry_asks.manifest(door.registry, method, repository, reference)

    def blob(door: Door, method: str) -> requests.Response:
        return expect(door.registry.ask_blob(method, repository, digest_of(layer)), 200)

    return [
        _Thing("a manifest list by its tag", partial(manifest, "list"), pushed.content, pushed.media_type),
        _Thing("a manifest by its digest", partial(manifest, image.digest), image.content, image.media_type),
        _Thing("a layer", blob, layer, ""),
    ]


def _disagreement(thing: _Thing, head: requests.Response, get: requests.Response) -> str:
    """Where the answers to HEAD and GET contradict each other or the bytes; empty: nowhere."""
    if get.content != thing.content:
        return f"GET gives {len(get.content)} bytes that are not what was pushed"
    if head.headers.get("Content-Length") is None:
        return "HEAD tells no Content-Length"
    for method, answer in (("HEAD", head), ("GET", get)):
        if wrong := _contradiction(thing, answer):
            return f"{method} tells {wrong}"
    types = registry_asks.media_type_of(head), registry_asks.media_type_of(get)
    if types[0] != types[1]:
        return f"HEAD tells the type {types[0] or '(none)'}, and GET {types[1] or '(none)'}"
    return ""


def _contradiction(thing: _Thing, answer: requests.Response) -> str:
    """What headers tell otherwise than it is; empty: nothing."""
    length = answer.headers.get("Content-Length", str(len(thing.content)))
    if length != str(len(thing.content)):
        return f"a Content-Length of {length}, and there are {len(thing.content)} bytes"
    if answer.history:
        return ""  # An object store has answered: it knows lengths, but no digests and types of ours.
    digest = answer.headers.get("Docker-Content-Digest", "")
    if digest != digest_of(thing.content):
        return f"the digest {digest or '(none)'}, and the bytes have {digest_of(thing.content)}"
    media_type = registry_asks.media_type_of(answer)
    if thing.media_type and media_type != thing.media_type:
        return f"the type {media_type or '(none)'}, and {thing.media_type} was pushed"
    return ""
