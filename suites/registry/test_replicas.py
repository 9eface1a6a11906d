"""The registry's replicas are one registry: what one takes, every other has."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from itertools import chain

from harbor_verify.checks import check
from harbor_verify.clients.image import digest_of
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.replica_coverage import MOST_IN_ALL_PAIRS, cross_pairs, ordered_pairs
from harbor_verify.target import Target

_CLIENTS, _IMAGES_EACH = 8, 1
_Asked = tuple[Replica, Registry]


@check(
    "registry.pushed-on-one-pulled-on-every",
    hint="{shared_images}; and no cache of blob descriptors in each replica's own memory. "
    "`kubectl exec` into the replicas that are named and compare the folder of the repository.",
    source="OCI distribution specification: pull; goharbor/harbor reports 15234, 17504, 22417",
    builds_on=(
        "configuration.registry-config-in-effect",
        "configuration.registry-root-inside-volume",
        "configuration.registry-trusts-token-key",
        "registry.redirect-leads-to-the-blob",
        "capacity.no-volume-full",
        "storage.volume-mounted-in-every-replica",
        "database.grants-sufficient",
    ),
)
def test_an_image_pushed_on_one_registry_replica_is_pulled_from_every_other(
    harbor: Target, findings: Findings, project, new_image, not_applicable
):
    """An image that one registry replica took is pulled from every other, byte for byte, by digest and by tag.

    Source: OCI distribution specification. Ordered pairs, because storage may be shared by some replicas only, and of
    many replicas round a ring (harbor_verify/replica_coverage.py); bytes, because a HEAD may be answered from a cache.
    """
    registries = [(replica, harbor.registry(replica)) for replica in harbor.replicas(Role.REGISTRY)]
    if len(registries) < 2:
        not_applicable(
            f"{harbor.workload(Role.REGISTRY).object} has one replica: there is no other to pull from"
        )
    pushed = {}

    def take(asked: _Asked, findings: Findings) -> None:
        taker, registry = asked
        image = new_image()
        with findings.about(taker.object, "takes the push of a small image"):
            registry.push(image, f"{project}/pushed-on-{taker.name}", "one")
            pushed[taker.name] = image

    findings.side_by_side(registries, take)

    def give(pair: tuple[_Asked, _Asked], findings: Findings) -> None:
        (taker, _), (giver, other) = pair
        if taker.name not in pushed:
            return
        image, repository = pushed[taker.name], f"{project}/pushed-on-{taker.name}"
        with findings.about(giver.object, f"gives the image that {taker.name} took") as pull:
            _, by_tag = other.manifest(repository, "one")
            if by_tag != image.digest or other.pull(repository, image.digest) != image:
                pull.wrong("gives another one")

    findings.side_by_side(cross_pairs(registries, registries), give)


@check(
    "registry.upload-continues-on-another-replica",
    hint="Behind the Service each request of a push may reach another replica. Set the same `http.secret` in the "
    "configuration of all of them, or REGISTRY_HTTP_SECRET in their environment (it signs the state of an upload), and "
    "let them share the storage, where the bytes that came so far are kept.",
    source="distribution: http.secret; docker/distribution report 2519",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_an_upload_begun_on_one_registry_replica_goes_on_at_another(
    harbor: Target, findings: Findings, project, not_applicable, new_image
):
    """An upload that begins on one registry replica goes on at another, and every replica gives each of its bytes.

    Source: OCI distribution specification, chunked upload. Ordered pairs: begun on A, continued on B, finished on a
    third if there is one, else on A. Of many replicas those are asked for the bytes that had to do with the upload.
    """
    registries = [(replica, harbor.registry(replica)) for replica in harbor.replicas(Role.REGISTRY)]
    if len(registries) < 2:
        not_applicable(
            f"{harbor.workload(Role.REGISTRY).object} has one replica: there is no other to go on at"
        )
    repository = f"{project}/continued"

    def continue_elsewhere(pair: tuple[_Asked, _Asked], findings: Findings) -> None:
        first, second = pair
        last = next((each for each in registries if each not in (first, second)), first)
        (begun, _), (continued, _), (finished, _) = first, second, last
        content, way = new_image().layer, f"begun on {begun.name}, continued on {continued.name}"
        uploaded = False
        with findings.about(continued.object, f"an upload {way} ends on {finished.name}"):
            _upload_by_way_of([registry for _, registry in (first, second, last)], repository, content)
            uploaded = True
        givers = registries if len(registries) <= MOST_IN_ALL_PAIRS else (first, second, last)
        for giver, registry in givers if uploaded else ():
            with findings.about(giver.object, f"gives every byte of the blob whose upload was {way}") as blob:
                if registry.blob(repository, digest_of(content)) != content:
                    blob.wrong("the blob has other bytes")

    findings.side_by_side(ordered_pairs(registries), continue_elsewhere)


@check(
    "registry.corrupted-blob-refused",
    hint="A registry that takes what does not fit its digest hands it out as the real one later. Nothing of Harbor "
    "does so: see what stands between this client and the registry, and which program runs in the pods that are named.",
    source="OCI distribution specification: DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_what_does_not_fit_its_digest_is_refused_by_every_replica(
    harbor: Target, findings: Findings, project, new_image
):
    """Every replica refuses a blob that does not fit its digest, and a manifest of blobs that never came.

    Source: OCI distribution specification; that it was refused is not enough: it must not be there afterwards.
    """

    def examine(replica: Replica, findings: Findings) -> None:
        registry, repository = harbor.registry(replica), f"{project}/corrupted"
        sent, promised = new_image(), new_image()
        digest = digest_of(promised.layer)
        with findings.about(replica.object, "an upload can begin"):
            upload = registry.append(registry.begin_upload(repository), sent.layer)
            refused = "a blob that does not fit its digest is refused (400)"
            absent = "the blob that was refused is not there (404)"
            unfounded = "a manifest of blobs that never came is refused (400 or 404)"
            for expected, statuses, ask in (
                (refused, {400}, partial(registry.finish, upload, digest)),
                (absent, {404}, partial(registry.blob, repository, digest)),
                (
                    unfounded,
                    {400, 404},
                    partial(registry.push_manifest, repository, "bad", promised.manifest),
                ),
            ):
                with findings.about(replica.object, expected) as refusal:
                    _require_refused(ask, statuses, refusal)

    findings.side_by_side(harbor.registry_api_replicas(), examine)


@check(
    "registry.concurrent-pushes",
    hint="One push at a time works and many do not: look at the registry's log for locks and time-outs of its storage, "
    "and at {slow_images}.",
    source="OCI distribution specification; distribution's filesystem driver",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_images_pushed_at_the_same_time_are_all_there(harbor: Target, findings: Findings, project, new_image):
    """Images that many clients push at the same time, to all replicas, are all there on every replica.

    Source: each client pushes into a repository of its own, and into one that all share, where the same folders are
    written. Whoever serves docker clients is asked by tag; every registry replica by digest, because a registry that
    Harbor hides behind itself need not know tags (from 2.15 on they are in the database alone).
    """
    takers, keepers = harbor.registry_api_replicas(), harbor.replicas(Role.REGISTRY)
    pushes = [
        [
            (repository, f"client-{number}-{each}", new_image())
            for each in range(_IMAGES_EACH)
            for repository in (f"{project}/together", f"{project}/client-{number}")
        ]
        for number in range(_CLIENTS)
    ]

    def push(number):
        """What this client found; its connection is its own."""
        replica, own = takers[number % len(takers)], Findings()
        with closing(harbor.new_link(replica)) as link:
            registry = harbor.registry_by(link, replica)
            for repository, tag, image in pushes[number]:
                with own.about(replica.object, f"takes a push while {_CLIENTS} clients push"):
                    registry.push(image, repository, tag)
        return own

    def resolve(replica):
        """Whether each tag leads to what was acknowledged, at this replica, which serves docker clients."""
        registry, own = harbor.registry(replica), Findings()
        for repository, tag, image in chain.from_iterable(pushes):
            with own.about(replica.object, f"gives {repository}:{tag} as {image.digest[:19]}") as manifest:
                _, digest = registry.manifest(repository, tag)
                if digest != image.digest:
                    manifest.wrong(f"gives {digest[:19]}")
        return own

    def pull(replica):
        """Whether this registry replica gives the images back as they were acknowledged."""
        registry, own = harbor.registry(replica), Findings()
        for repository, _, image in chain.from_iterable(pushes):
            expected = f"gives {repository}@{image.digest[:19]} as it was pushed"
            with own.about(replica.object, expected) as pulled:
                if registry.pull(repository, image.digest) != image:
                    pulled.wrong("gives another image")
        return own

    with ThreadPoolExecutor(_CLIENTS) as pool:
        for own in pool.map(push, range(_CLIENTS)):
            findings.take(own)
        if findings.offenders:
            return
        for own in chain(pool.map(resolve, takers), pool.map(pull, keepers)):
            findings.take(own)


def _upload_by_way_of(registries, repository, content):
    """Begin an upload at the first of three registries, go on at the second, end it at the last. Raises AnswerError."""
    first, second, last = registries
    half = len(content) // 2
    upload = first.begin_upload(repository)
    try:
        upload = first.append(upload, content[:half])
        upload = second.append(upload, content[half:])
        last.finish(upload, digest_of(content))
    except AnswerError:
        # What came so far is where it began, if anywhere; that it cannot be cancelled says nothing new.
        with suppress(AnswerError):
            first.cancel(upload)
        raise


def _require_refused(ask, statuses, examined):
    """It is refused with one of these statuses. Raises AnswerError for another answer, or none."""
    try:
        ask()
    except UnexpectedAnswer as answer:
        if answer.status not in statuses:
            raise
    else:
        examined.wrong("it was taken")
