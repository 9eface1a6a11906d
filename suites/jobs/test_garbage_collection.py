"""The last garbage collections: whether they ended, when, and what they freed. None is started."""

from datetime import UTC, datetime, timedelta

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_ENDED_BADLY = ("Error", "Stopped")
_KEPT = 50
"""So many collections Harbor keeps, unless told otherwise, dry runs among them."""


@check(
    "jobs.garbage-collected",
    hint="Without it nothing that people delete ever frees a byte, and one that fails may leave layers half deleted "
    "(integrity.no-blob-left-deleting). It failed: its log (Administration, Clean Up, History) says at which blob, "
    "mostly for a storage that refuses or is slow; run it again, with fewer workers. It never ran, or long ago: Clean "
    "Up, Schedule, each night or week; first once as a dry run. How long ago is too long is a setting: "
    "--collection-days.",
    source="Harbor: GET system/gc",
    requires=(Role.JOB, Feature.SCHEDULES),
    severity=SHOULD,
    builds_on=("jobs.schedules-in-redis", "jobs.queues-not-paused"),
)
def test_garbage_is_collected(harbor: Target, findings: Findings, settings: Settings, measured):
    """The last garbage collection that ended succeeded, and none is overdue.

    Source: Harbor's own list of them; dry runs are passed over. How long ago is too long is a setting, and a Harbor
    that is younger need not have had one.
    """
    told = founded = None
    with findings.about("garbage collection", "Harbor tells of those that were"):
        told = harbor.front_door.collections(harbor.credentials)
        founded = harbor.front_door.founded(harbor.credentials)
    if told is None:
        return
    real = [each for each in told if not each.is_trial]
    ended = [each for each in real if each.status in ("Success", *_ENDED_BADLY)]
    good = next((each for each in ended if each.status == "Success"), None)
    now, most = datetime.now(UTC), timedelta(days=settings.collection_days)
    last_good = f"the last that succeeded: {_said(good)}" if good else "none is known that succeeded"
    if good:
        measured["garbage_collected_days_ago"] = (now - good.changed).days
        measured["garbage_freed_bytes"] = good.freed_bytes or 0
    with findings.about("garbage collection", "the last one that ended succeeded") as last:
        if ended and ended[0].status in _ENDED_BADLY:
            last.wrong(
                f"number {ended[0].id} ended at {ended[0].changed:%F %T} UTC: {ended[0].status}; {last_good}"
            )
    with findings.about("garbage collection", f"one ended within {settings.collection_days} days") as recent:
        if good and now - good.changed > most:
            recent.wrong(f"{last_good}, {(now - good.changed).days} days ago")
        elif not real and len(told) >= _KEPT and now - told[-1].changed <= most:
            since = f"{told[-1].changed:%F %T} UTC"
            recent.unknown(f"all that Harbor still tells of, {len(told)} since {since}, are dry runs")
        elif good is None and founded and now - founded > most:
            days = (now - founded).days
            recent.wrong(f"none has ever succeeded, of {len(real)} that are known; Harbor is {days} days old")


def _said(collection) -> str:
    freed = f", freed {collection.freed_bytes / 2**20:.1f} MiB" if collection.freed_bytes is not None else ""
    return f"number {collection.id}, {collection.changed:%F %T} UTC{freed}"
