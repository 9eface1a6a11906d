"""The ways in which clients send a blob."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.http import expect
from harbor_verify.clients.image import digest_of
from harbor_verify.clients.registry import Registry, Upload
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.errors import AnswerError, UnexpectedAnswer, WrongContent
from harbor_verify.findings import Findings

_CHUNK_BYTES = 1000
_NOT_THERE = {404}
_UNKNOWN_UPLOAD = {400, 404}
_BAD, _OUT_OF_ORDER, _CANNOT = 400, 416, 500


@check(
    "images.upload-forms",
    hint="The line says which form fails. Chunks or the status only: the front door drops `Content-Range`, "
    "`Range` or the query of the Location, or the replicas have not the same `http.secret` and storage. A blob "
    "that another replica does not give: storage is not shared.",
    source="OCI distribution specification: pushing blobs (monolithic, chunked), upload status, cancel",
    builds_on=(
        "registry.upload-continues-on-another-replica",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_every_form_of_upload_is_taken(doors: list[Door], findings: Findings, project, new_image):
    """A blob sent at once, in two steps or in chunks is taken; a cancelled upload is forgotten.

    Source: OCI distribution specification. (A registry that does not take a blob with the first POST begins
    an upload instead.) What one replica took is read from the next, the front door among them.
    """

    def examine(each: tuple[Door, Door], findings: Findings) -> None:
        taker, giver = each
        registry, repository = taker.registry, f"{project}/forms-{taker.name}"
        forms = {
            "in one POST": registry_asks.push_at_once,
            "by a POST and a PUT": _push_in_two,
            "in chunks": _push_in_chunks,
        }
        for form, push in forms.items():
            content, is_there = new_image().layer, False
            with findings.about(taker.object, f"takes a blob that is sent {form}"):
                push(registry, repository, content)
                is_there = True
            if not is_there:
                continue
            with findings.about(giver.object, f"gives the blob that {taker.name} took {form}"):
                giver.registry.blob(repository, digest_of(content))
        with findings.about(taker.object, "forgets an upload that is cancelled") as cancelled:
            if wrong := _wrong_after_cancel(registry, repository, new_image().layer):
                cancelled.wrong(wrong)

    findings.side_by_side(with_next(doors), examine)


@check(
    "images.empty-blob",
    hint="Refused by the front door only: a proxy takes a body of no bytes for none. By one replica only: its "
    "registry is of another version than its siblings', or writes to another storage.",
    source="OCI distribution specification: pushing blobs; distribution's pull request 3763",
    builds_on=(
        "images.upload-forms",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_blob_without_a_byte_is_taken(
    doors: list[Door], findings: Findings, project, new_image, not_applicable
):
    """A blob without a single byte is taken by every replica and the front door, and given by the next.

    Source: OCI distribution specification. Before 3.0 distribution's registry cannot store one in S3, and answers 500:
    where every replica does so, and takes blobs that have bytes, there is nothing to judge.
    """

    def examine(each: tuple[Door, Door], findings: Findings) -> str:
        """The refusal of who takes blobs, and none without a byte; empty: there was none."""
        taker, giver = each
        repository, is_there = f"{project}/empty-{taker.name}", False
        with findings.about(taker.object, "takes a blob without a single byte"):
            try:
                _push_in_two(taker.registry, repository, b"")
                is_there = True
            except UnexpectedAnswer as refusal:
                if refusal.status != _CANNOT:
                    raise
                # One that takes no blob at all is not one that cannot store an empty one.
                _push_in_two(taker.registry, repository, new_image().layer)
                return str(refusal)
        if is_there:
            with findings.about(giver.object, f"gives the empty blob that {taker.name} took"):
                giver.registry.blob(repository, digest_of(b""))
        return ""

    refusals = dict(zip(doors, findings.side_by_side(with_next(doors), examine), strict=True))
    if not findings.offenders and all(refusals[door] for door in behind(doors)):
        not_applicable(
            f"the registry cannot store a blob without a byte, on no replica: {refusals[doors[1]]}"
        )
    for door, refusal in refusals.items():
        if refusal:
            findings.wrong(door.object, "takes a blob without a single byte, as others do", refusal)


@check(
    "images.chunk-out-of-order",
    hint="A registry that strings chunks together as they come, and does not compare the digest at the end, "
    "hands wrong bytes out as the real ones. No registry does so: see which program answers at the replica "
    "that is named, and what stands before it.",
    source="OCI distribution specification: pushing a blob in chunks (416), DIGEST_INVALID",
    builds_on=(
        "images.upload-forms",
        "registry.corrupted-blob-refused",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_chunk_out_of_order_never_becomes_a_wrong_blob(
    doors: list[Door], findings: Findings, project, new_image
):
    """Chunks that come out of order are refused, at once or at the end, or make the right blob; never a wrong one.

    Source: OCI distribution specification. Each replica is asked on its own: behind the front door another
    may get each chunk. A registry is to answer 416 to a chunk out of order, and some
    answer 202 and refuse the whole at its end; what counts is which bytes are there afterwards.
    """

    def examine(door: Door, findings: Findings) -> None:
        content, repository = new_image(3 * _CHUNK_BYTES).layer, f"{project}/disorder-{door.name}"
        digest = digest_of(content)
        is_taken = None
        with findings.about(door.object, "refuses chunks that are out of order, or puts them in order"):
            is_taken = _push_out_of_order(door.registry, repository, content)
        if is_taken is None:
            return
        expected = (
            "gives the right bytes of what it has taken" if is_taken else "is without what it has refused"
        )
        with findings.about(door.object, f"{expected} ({digest[:19]})") as blob:
            try:
                door.registry.blob(repository, digest)
            except UnexpectedAnswer as answer:
                if is_taken or answer.status not in _NOT_THERE:
                    raise
            else:
                if not is_taken:
                    blob.wrong("it is there")

    findings.side_by_side(behind(doors), examine)


def _push_in_two(registry: Registry, repository: str, content: bytes) -> None:
    registry_asks.push_whole(registry, registry.begin_upload(repository), content)


def _push_in_chunks(registry: Registry, repository: str, content: bytes) -> None:
    """Two chunks, with a look at the status after the first. Raises WrongContent where that tells another length."""
    upload = registry.begin_upload(repository)
    upload = registry.append(upload, content[:_CHUNK_BYTES])
    status = registry_asks.upload_range(registry, upload)
    if status != f"0-{_CHUNK_BYTES - 1}":
        raise WrongContent(f"an upload of {_CHUNK_BYTES} bytes so far has Range {status or 'none'}")
    registry.finish(registry.append(upload, content[_CHUNK_BYTES:]), digest_of(content))


def _wrong_after_cancel(registry: Registry, repository: str, content: bytes) -> str:
    """What is left of an upload that was cancelled; empty: nothing. Raises AnswerError."""
    upload = registry.append(registry.begin_upload(repository), content)
    registry.cancel(upload)
    try:
        status = registry_asks.upload_range(registry, upload)
    except UnexpectedAnswer as answer:
        if answer.status not in _UNKNOWN_UPLOAD:
            raise
    else:
        return f"its status is still told: {status or 'without a Range'}"
    ended = registry_asks.end(registry, upload, digest_of(content))
    return "" if expect(ended, 201, *_UNKNOWN_UPLOAD).status_code != 201 else "it could be ended (201)"


def _push_out_of_order(registry: Registry, repository: str, content: bytes) -> bool:
    """Send the last third of a blob before the one in the middle; whether all of it was taken. Raises AnswerError."""
    first, second = content[:_CHUNK_BYTES], content[_CHUNK_BYTES : 2 * _CHUNK_BYTES]
    third = content[2 * _CHUNK_BYTES :]
    upload = registry.append(registry.begin_upload(repository), first)
    for chunk, begin in ((third, 2 * _CHUNK_BYTES), (second, _CHUNK_BYTES)):
        answer = registry_asks.send_chunk(registry, upload, chunk, begin)
        if answer.status_code == _OUT_OF_ORDER:
            # As a client does then: go on from where the registry is.
            upload = registry.append(registry.append(upload, second), third)
            registry.finish(upload, digest_of(content))
            return True
        if answer.status_code == _BAD:
            _forget(registry, upload)
            return False
        upload = registry_asks.after(expect(answer, 202, 204), upload)
    answer = registry_asks.end(registry, upload, digest_of(content))
    if answer.status_code in (_BAD, _OUT_OF_ORDER):
        _forget(registry, upload)
        return False
    expect(answer, 201)
    return True


def _forget(registry: Registry, upload: Upload) -> None:
    """What was refused may be half gone already: with images in S3 the registry then answers 500."""
    with suppress(AnswerError):
        registry.cancel(upload)
