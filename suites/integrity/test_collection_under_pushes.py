"""Garbage that is collected while people push: nothing acknowledged is lost, and what was freed is gone."""

from collections.abc import Callable

from harbor_verify import collecting
from harbor_verify.checks import check
from harbor_verify.errors import AnswerError
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_MOST_TOLD = 20


@check(
    "integrity.pushes-survive-garbage-collection",
    hint="An image that was acknowledged and is not whole: the collection took a layer that a push counted on. "
    "GC_TIME_WINDOW_HOURS of the {web} must be longer than the longest push takes (2 as it comes; 0 is for Harbors "
    "that nobody pushes to); one database and one storage, of this Harbor alone. Push the images that are named again. "
    "Freed, and still there: the storage refused to delete, or another registry replica keeps it; what it says it "
    "freed is then not free. A collection that failed: jobs.garbage-collected.",
    source="Harbor: online garbage collection; report 23116 of goharbor/harbor",
    needs=("garbage-collection",),
    requires=(Feature.JOB_LOGS, Feature.SCHEDULES, Feature.IMAGE_RECORDS),
    builds_on=(
        "jobs.queues-not-paused",
        "jobs.queues-worked-off",
        "registry.pushed-on-one-pulled-on-every",
        "registry.delete-removes",
    ),
)
def test_no_acknowledged_push_is_lost_to_a_garbage_collection(
    harbor: Target,
    findings: Findings,
    settings: Settings,
    project: str,
    measured,
    tell: Callable[[str], None],
    harbors_own: Callable[[str], None],
):
    """While garbage is collected, twice at once and again, no acknowledged push is lost, and what was freed is gone.

    Source: Harbor. Images that share layers are pushed at the front door, and half of them deleted again; a few pushes
    are slow: a whole collection passes between their layers and their manifest. Then every image that was acknowledged,
    and not deleted, is read byte for byte, and what the logs name as deleted is looked for in the volume of every
    registry replica; where images are in an object store, that it is gone is NOT verified, and told so.
    """
    seen = collecting.push_and_collect(harbor, project, pushes=settings.collection_pushes, tell=tell)
    measured.update(
        pushes_count=len(seen.acknowledged),
        pushes_refused_count=seen.refused + seen.taken,
        collections_count=len(seen.collections),
        freed_blobs_count=len(seen.freed),
        pushes_during_collection_count=seen.during,
    )
    with findings.about(
        f"front door {harbor.url}", "pushes are acknowledged while garbage is collected"
    ) as pushes:
        if not seen.acknowledged:
            pushes.wrong(f"none of {settings.collection_pushes} was: {seen.last_taken or seen.last_refusal}")
        elif seen.taken:
            pushes.wrong(
                f"{seen.taken} manifests were refused, though what they name had been sent: {seen.last_taken}"
            )
        elif not seen.during:
            pushes.unknown("no push fell into the time of a collection")
    for collection in seen.collections:
        with findings.about(f"garbage collection {collection.id}", "it succeeds") as each:
            if collection.status != "Success":
                each.wrong(collection.status or "it did not end")
    lost = 0
    for repository, image in seen.kept.items():
        with findings.about(
            f"image {repository}@{image.digest}", "it was acknowledged, and is whole"
        ) as kept:
            try:
                collecting.read(harbor, repository, image)
            except AnswerError as missing:
                lost += 1
                if lost <= _MOST_TOLD:
                    kept.wrong(str(missing))
    measured["pushes_lost_count"] = lost
    with findings.about("images that were acknowledged", f"at most {_MOST_TOLD} are told") as more:
        if lost > _MOST_TOLD:
            more.wrong(f"{lost - _MOST_TOLD} more are not whole")
    gone = sorted(seen.freed - seen.pushed_again)
    unseen: list[str] = []
    for replica in harbor.replicas(Role.REGISTRY) if gone else ():
        expected = f"the {len(gone)} blobs that the logs say were freed are gone from its storage"
        with findings.about(replica.object, expected) as storage:
            there = collecting.still_there(harbor, replica, gone)
            if there is None:
                unseen.append(replica.object)
            elif there:
                storage.wrong(f"{len(there)} are still there: {', '.join(there[:3])}")
    measured["freed_blobs_looked_for_count"] = 0 if unseen else len(gone)
    if unseen:
        tell(
            f"{', '.join(unseen)}: no volume has the images (an object store does, or none is declared), so that the "
            f"{len(gone)} blobs which the logs say were freed are gone was NOT verified"
        )
    if seen.refused:
        harbors_own(
            f"{seen.refused} pushes were refused while garbage was collected ({seen.last_refusal}): a layer that is "
            "being deleted can be neither used nor sent, until it is gone"
        )
