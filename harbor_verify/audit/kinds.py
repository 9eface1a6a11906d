"""What can be wrong with a blob, how grave it is, and what to do about it at 3 a.m."""

from dataclasses import dataclass
from enum import StrEnum

from harbor_verify.reports.model import Severity

_PUSH = (
    "Push the image again from where it was built (a registry that knows that the layer is gone takes it anew), or "
    "copy it from a backup or a replicated Harbor."
)
_EMPTY_CACHE = (
    "Delete the keys `blobs::*` and `repository::*` of the registry's Redis database (its config.yml: redis.db; the "
    "chart: redis.external.registryDatabaseIndex): they are a cache, which fills itself from the storage."
)


class Kind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    NOT_EVERYWHERE = "missing at some replicas"
    STALE = "stale in Redis"
    TRUNCATED = "truncated"
    OTHER_BYTES = "other bytes"
    WRONG_SIZE = "wrong size"
    UNREADABLE = "unreadable"
    FOREIGN = "another Harbor's in Redis"
    MISCOUNTED = "miscounted"
    WRONG_DESCRIPTOR = "wrong descriptor in Redis"
    UNPROTECTED = "unprotected"
    UNRECORDED = "not in the database"
    DELETING = "left deleting"
    ORPHAN = "orphan"

    @property
    def severity(self) -> Severity:
        advice = (Kind.MISCOUNTED, Kind.DELETING, Kind.ORPHAN)
        return Severity.SHOULD if self in advice else Severity.MUST

    @property
    def meaning(self) -> str:
        """What it means, in one line."""
        return _MEANING[self]

    @property
    def advice(self) -> str:
        return _ADVICE[self]


_MEANING = {
    Kind.MISSING: "the registry has not got it: pulls fail",
    Kind.NOT_EVERYWHERE: "other replicas give it: pulls fail now and then, by whichever replica is met",
    Kind.STALE: "Redis vouches for bytes that the storage has not: HEAD says 200, pulls break off, pushes skip it",
    Kind.TRUNCATED: "fewer bytes come than it has: pulls fail",
    Kind.OTHER_BYTES: "bytes come that are not those of its digest: pulls fail",
    Kind.WRONG_SIZE: "the bytes are right, but a manifest says another size: clients refuse the image",
    Kind.MISCOUNTED: "the bytes are right, but the database says another size: quotas count wrongly",
    Kind.UNREADABLE: "the registry cannot read it as a manifest: pulls fail with 500",
    Kind.FOREIGN: "Redis vouches for a blob of a repository that this Harbor has not, and the storage has not got it",
    Kind.WRONG_DESCRIPTOR: "Redis says another size or digest than it has: pulls are cut off, or get other bytes",
    Kind.UNPROTECTED: "the database does not know that an image is made of it: garbage collection may delete it",
    Kind.UNRECORDED: "the API lists it, and the database that Harbor's settings name has not got it",
    Kind.DELETING: "a garbage collection began to delete it and did not end: pushes of it are answered 404",
    Kind.ORPHAN: "it lies in the storage, and the database does not know it: no garbage collection will ever free it",
}
_ADVICE = {
    Kind.MISSING: f"{_PUSH} Where many are missing: is this the right volume or bucket, an old backup, another "
    "Harbor's garbage collection on the same storage? No garbage collection until it is clear.",
    Kind.NOT_EVERYWHERE: "Do not push the image again, and leave Redis alone: the bytes are there. Compare mount and "
    "configuration of the replica that is named with those of the others, and delete its pod. No garbage collection "
    "until it is clear.",
    Kind.STALE: f"{_EMPTY_CACHE} Then push the image again: only now does the registry ask for the layer. The cause is "
    "mostly a garbage collection that ended before it emptied the cache, a restored storage, or two Harbors with one "
    "Redis database.",
    Kind.TRUNCATED: f"First empty the cache, which may tell a wrong length, and audit again. {_EMPTY_CACHE} If it is "
    f"still short, the file is: look for a full volume or a node that died while it was pushed. {_PUSH} The file has "
    "to go first, since the registry believes that it has the layer.",
    Kind.OTHER_BYTES: "The storage changed them (a disk, a bit, somebody's hand): look at its own health (ceph health "
    f"detail, scrub; the array's log). {_PUSH} The file has to go first, since the registry believes that it has it.",
    Kind.WRONG_SIZE: "Whatever built the image wrote a wrong manifest: build and push it again.",
    Kind.MISCOUNTED: "Pulls are well. Push the layer again, and let Harbor count the project's use anew.",
    Kind.UNREADABLE: "The manifest's bytes are damaged. Delete the artifact in Harbor and push it again; look at the "
    "storage's own health.",
    Kind.FOREIGN: "Give each Harbor a Redis database of its own for its registry: two that share one vouch for each "
    f"other's layers, and images are pushed without them. It may also be what a broken garbage collection left. "
    f"{_EMPTY_CACHE}",
    Kind.WRONG_DESCRIPTOR: _EMPTY_CACHE,
    Kind.UNPROTECTED: "Stop scheduled garbage collection now. Push the image again (its manifest suffices): Harbor "
    "then writes down what it is made of.",
    Kind.UNRECORDED: "Compare the database that each replica is given: one of them asks another server, or a standby "
    "that does not follow.",
    Kind.DELETING: "Run a garbage collection to its end, and see its log. Until then a push of the layer is refused "
    "for up to two hours (GC_TIME_WINDOW_HOURS), and works when it is tried again after that.",
    Kind.ORPHAN: "It costs space only. Do not delete files by hand while anybody pushes. It comes from pushes that "
    "broke off, or from a database that was restored from before they were made.",
}


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with one blob: at one replica, in Redis or in the database (`place`, in words).

    `repository` is empty where it belongs to none that is known.
    """

    kind: Kind
    digest: str
    repository: str
    place: str
    observed: str
