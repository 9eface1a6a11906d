"""The registry's replicas are one registry: what one takes, every other has."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations, product

from fixtures.checks import check
from fixtures.clients.image import Image, digest_of
from fixtures.clients.registry import Registry
from fixtures.errors import AnswerError, UnexpectedAnswer
from fixtures.model.roles import Role
from fixtures.verdict import Offender, expecting, judge

_CLIENTS, _IMAGES_EACH = 6, 1


@check(
    "registry.pushed-on-one-pulled-on-every",
    hint="Let every registry replica mount the same ReadWriteMany claim, without a subPath that differs by pod or "
    "node, or use the same object storage; and no cache of blob descriptors in each replica's own memory. "
    "`kubectl exec` into the replicas that are named and compare the folder of the repository.",
    source="OCI distribution specification: pull; goharbor/harbor reports 15234, 17504, 22417",
)
def test_an_image_pushed_on_one_registry_replica_is_pulled_from_every_other(harbor, project, new_image, skip):
    """An image that one registry replica took is pulled from every other, byte for byte, by digest and by tag.

    Source: OCI distribution specification. Ordered pairs, because storage may be shared by some replicas only; bytes,
    because a HEAD may be answered from a cache.
    """
    registries = [(replica, harbor.registry(replica)) for replica in harbor.replicas(Role.REGISTRY)]
    if len(registries) < 2:
        skip(f"{harbor.workload(Role.REGISTRY).object} has one replica: there is no other to pull from")
    offenders = []
    for taker, registry in registries:
        image, repository = new_image(), f"{project}/pushed-on-{taker.name}"
        pushed = len(offenders)
        with expecting(offenders, taker.object, "takes the push of a small image"):
            registry.push(image, repository, "one")
        if len(offenders) > pushed:
            continue
        for giver, other in registries:
            with expecting(offenders, giver.object, f"gives the image that {taker.name} took"):
                _, by_tag = other.manifest(repository, "one")
                if by_tag != image.digest or other.pull(repository, image.digest) != image:
                    offenders.append(
                        Offender(giver.object, f"gives the image that {taker.name} took", "gives another one")
                    )
    judge(offenders, examined=len(registries) ** 2)


@check(
    "registry.upload-continues-on-another-replica",
    hint="Behind the Service each request of a push may reach another replica. Set the same `http.secret` in the "
    "configuration of all of them (it signs the state of an upload), and let them share the storage, where the bytes "
    "that came so far are kept.",
    source="distribution: http.secret; docker/distribution report 2519",
)
def test_an_upload_begun_on_one_registry_replica_goes_on_at_another(harbor, project, skip, new_image):
    """An upload that begins on one registry replica goes on at another, and the blob is whole.

    Source: OCI distribution specification, chunked upload. Ordered pairs: begun on A, continued on B, finished on A.
    """
    registries = [(replica, harbor.registry(replica)) for replica in harbor.replicas(Role.REGISTRY)]
    if len(registries) < 2:
        skip(f"{harbor.workload(Role.REGISTRY).object} has one replica: there is no other to go on at")
    offenders = []
    pairs = list(permutations(registries, 2))
    for (begun, at_first), (continued, at_second) in pairs:
        content = new_image().layer
        half = len(content) // 2
        expected = f"an upload begun on {begun.name} goes on here, and ends there"
        with expecting(offenders, continued.object, expected):
            upload = at_first.begin_upload(f"{project}/continued")
            upload = at_first.append(upload, content[:half])
            upload = at_second.append(upload, content[half:])
            at_first.finish(upload, digest_of(content))
            if at_second.blob(f"{project}/continued", digest_of(content)) != content:
                offenders.append(Offender(continued.object, expected, "the blob has other bytes"))
    judge(offenders, examined=len(pairs))


@check(
    "registry.corrupted-blob-refused",
    hint="A registry that takes what does not fit its digest hands it out as the real one later. Nothing of Harbor "
    "does so: see what stands between this client and the registry, and which program runs in the pods that are named.",
    source="OCI distribution specification: DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN",
)
def test_what_does_not_fit_its_digest_is_refused_by_every_registry_replica(harbor, project, new_image):
    """Every registry replica refuses a blob that does not fit its digest, and a manifest of blobs that never came.

    Source: OCI distribution specification; that it was refused is not enough: it must not be there afterwards.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    offenders = []
    for replica in replicas:
        registry, repository = harbor.registry(replica), f"{project}/corrupted"
        sent, promised = new_image(), new_image()
        digest = digest_of(promised.layer)
        with expecting(offenders, replica.object, "an upload can begin"):
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
                if seen := _not_refused(ask, statuses):
                    offenders.append(Offender(replica.object, expected, seen))
    judge(offenders, examined=len(replicas))


@check(
    "registry.concurrent-pushes",
    hint="One push at a time works and many do not: look at the registry's log for locks and time-outs of its storage, "
    "and at the volume's latency (`ceph -s`, `ceph fs status`).",
    source="OCI distribution specification; distribution's filesystem driver",
)
def test_images_pushed_at_the_same_time_are_all_there(harbor, project, new_image):
    """Images that many clients push at the same time, to all registry replicas, are all there on every replica.

    Source: each into a repository of its client's, and into one that all share, where the same folders are written.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    images = [[new_image() for _ in range(_IMAGES_EACH)] for _ in range(_CLIENTS)]
    offenders = []
    places = {
        f"{project}/together": images,
        **{f"{project}/client-{n}": [images[n]] for n in range(_CLIENTS)},
    }

    def push(number):
        """What this client's registry refused; its replica is its own, and so is its connection."""
        replica, refused = replicas[number % len(replicas)], []
        link = harbor.new_link(replica)
        try:
            registry = Registry(link, harbor.pinned_tokens(link, harbor.credentials))
            for image in images[number]:
                for repository in (f"{project}/together", f"{project}/client-{number}"):
                    with expecting(refused, replica.object, f"takes a push while {_CLIENTS} clients push"):
                        registry.push(image, repository, _tag(image))
        finally:
            link.close()
        return refused

    with ThreadPoolExecutor(_CLIENTS) as pool:
        for refused in pool.map(push, range(_CLIENTS)):
            offenders += refused
    if not offenders:
        for replica, (repository, clients) in product(replicas, places.items()):
            registry = harbor.registry(replica)
            for image in (image for client in clients for image in client):
                expected = f"gives {image.digest[:19]} of {repository}, by its tag"
                with expecting(offenders, replica.object, expected):
                    _, digest = registry.manifest(repository, _tag(image))
                    if digest != image.digest or registry.pull(repository, digest) != image:
                        offenders.append(Offender(replica.object, expected, f"gives {digest[:19]}"))
    judge(offenders, examined=_CLIENTS * _IMAGES_EACH)


def _tag(image: Image) -> str:
    return image.digest[-12:]


def _not_refused(ask, statuses) -> str:
    """What came instead of a refusal with one of `statuses`; empty when it was refused."""
    try:
        ask()
    except UnexpectedAnswer as refusal:
        return "" if refusal.status in statuses else str(refusal)
    except AnswerError as trouble:
        return str(trouble)
    return "it was taken"
