"""Images that were there before this run: whether all that they are made of is still there, byte for byte."""

import random

from harbor_verify import cleanup
from harbor_verify.audit import sample
from harbor_verify.audit.result import gather, where
from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.contents import Known
from harbor_verify.target import Target

_MOST_PROJECTS = 12
_NEWEST_EACH = 2
_DRAWN_EACH = 2


@check(
    "integrity.images-whole",
    hint="The offender says what is wrong with which blob, at which replica. Missing everywhere: the storage has lost "
    "it (another bucket, another volume, an earlier backup, a second Harbor that collects garbage on it); push the "
    "image again, and run no garbage collection until it is clear. At some replicas: compare the mount and "
    "configuration of those that are named with the others', and delete their pods. Stale in Redis: empty the "
    "registry's database of it (the chart: redis.external.registryDatabaseIndex), then push the image again. "
    "Truncated, other bytes: look at the storage's own health, remove the file, push again. How much more is broken "
    "tells `harbor-verify audit`, which reads everything.",
    source="OCI distribution and image specifications; distribution: blob descriptor cache; report 4269 of "
    "distribution/distribution, 19988 and 22571 of goharbor/harbor",
    builds_on=(
        "integrity.redis-vouches-for-what-is-there",
        "registry.pushed-on-one-pulled-on-every",
        "registry.redirect-leads-to-the-blob",
    ),
)
def test_images_that_are_there_are_whole(
    harbor: Target, findings: Findings, not_applicable, measured, tell, seed
):
    """Of a sample of the images that are there, every registry replica gives every byte, as digest and size say.

    Source: GET, hashed; HEAD is answered from Redis, and GET announces what is gone. The images that were changed last
    and some that are drawn from the run's seed, of up to twelve projects; none of this suite's own, and none of a
    proxy cache's. What is small is read from each replica, a layer from one, and its first byte from the others.
    """
    images: list[Known] = []
    with findings.about(f"front door {harbor.url}", "lists projects and what is in them"):
        images = _sample(harbor, random.Random(seed))
    if not images and not findings.offenders:
        not_applicable("no image is there yet, but for this suite's own")
    measured["images_looked_at_count"] = len(images)
    if not images:
        return
    seen = sample.read(harbor, images)
    measured["read_bytes"] = seen.read_bytes
    if seen.cut_short:
        tell(f"{seen.cut_short} layers were too much for a sample: only their first byte was read")
    affected = gather(seen.notebook)
    for image in images:
        with findings.about(
            f"image {image}", "all that it is made of comes, with its digest and size"
        ) as whole:
            for each in affected:
                holders = seen.notebook.images_of(each.digest)
                if image in holders and _is_still_there(harbor, image):
                    places = where(each, seen.replicas)
                    whole.wrong(f"{each.digest} at {places}: {each.kind.value}: {each.observed}")
    with findings.about("registry replicas", "answer") as answers:
        sample.tell_unread(seen.notebook, seen.ended, answers)


def _sample(harbor: Target, drawn: random.Random) -> list[Known]:
    """Of projects that are spread over their names."""
    front, credentials = harbor.front_door, harbor.credentials
    own = harbor.ledger.names(cleanup.PROJECT)
    projects = [
        project
        for name, project in sorted(front.projects("", credentials).items())
        if name not in own and not project.is_proxy
    ]
    step = max(1, -(-len(projects) // _MOST_PROJECTS))
    images: dict[Known, None] = {}
    for project in projects[::step]:
        newest = front.some_images(project, credentials, most=_NEWEST_EACH)
        for repository, reference in newest:
            digest = reference if ":" in reference else front.tags(repository, credentials).get(reference, "")
            images |= {Known(repository, digest): None} if digest else {}
        names = front.repositories(project, credentials) if newest else []
        for repository in drawn.sample(names, min(_DRAWN_EACH, len(names))):
            held = list(front.artifacts(repository, credentials))
            images |= {Known(repository, drawn.choice(held)): None} if held else {}
    return list(images)


def _is_still_there(harbor: Target, image: Known) -> bool:
    """Somebody may have deleted it meanwhile."""
    return harbor.front_door.has_artifact(image.repository, image.digest, harbor.credentials)
