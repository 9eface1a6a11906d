"""What garbage collections and broken pushes leave over: it costs space, and makes pushes of the same layer fail."""

import random

from harbor_verify import running_replicas
from harbor_verify.audit import harbor as parts
from harbor_verify.audit import storage
from harbor_verify.audit.records import SURELY_LEFT_S, left_deleting
from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target

_ENOUGH_FILES = 2000


@check(
    "integrity.no-blob-left-deleting",
    hint="A garbage collection was killed in its sweep, or the storage refused to delete. Whoever pushes such a layer "
    "gets 404 for up to two hours (GC_TIME_WINDOW_HOURS) after the row was changed, and only a push after that frees "
    "it; every later garbage collection passes it over. Look at the log of the last one, let the push be tried again, "
    "then run one to its end.",
    source="Harbor: blob.status in the database, none → delete → deleting → gone or deletefailed; middleware/blob",
    needs=("database",),
    requires=(Feature.IMAGE_RECORDS,),
    severity=SHOULD,
    builds_on=("database.reachable",),
)
def test_no_blob_was_left_in_deletion(harbor: Target, findings: Findings):
    """No garbage collection has left a blob that it began to delete.

    Source: rows of `blob` with status deleting or deletefailed that have not changed for ten minutes.
    """
    contents = harbor.profile.contents
    if contents is None:
        raise CannotTell(f"nobody knows how {harbor.profile.name} writes that down")
    with harbors_database(harbor) as sql:
        left = contents.left_deleting(sql, SURELY_LEFT_S)
    with findings.about("table blob", "no row is left in deletion") as table:
        for row in left:
            table.wrong(f"{row.digest} ({row.size} bytes): {left_deleting(row).observed}")


@check(
    "integrity.storage-holds-what-the-database-knows",
    hint="No garbage collection will ever free these files: it goes by the database. They come from pushes that broke "
    "off between storage and database, or from a database that was restored from before they were made: then images "
    "are missing in Harbor, too, and what people pushed since the backup has to be pushed again. How much it is tells "
    "`harbor-verify audit`. Delete nothing by hand while anybody can push.",
    source="distribution: docker/registry/v2/blobs; Harbor: table blob",
    needs=("database", "exec"),
    requires=(Feature.IMAGE_RECORDS,),
    severity=SHOULD,
    builds_on=("configuration.registry-root-inside-volume", "database.reachable"),
)
def test_storage_holds_what_the_database_knows(
    harbor: Target, findings: Findings, not_applicable, measured, seed
):
    """Every blob in the volume (a sample of about 2,000) that is older than two hours is one that the database knows.

    Source: find and stat in the container of one registry replica, digests that begin with numbers drawn from the
    run's seed.
    """
    contents = harbor.profile.contents
    replica = next((each for each in harbor.replicas(Role.REGISTRY) if each.ready), None)
    if contents is None or replica is None:
        raise CannotTell("no registry replica is Ready, or nobody knows how its database is asked")
    root = parts.root_of(harbor, replica)
    if root is None:
        not_applicable("images are in an object store, which is not listed")
    prefixes = list(storage.PREFIXES)
    random.Random(seed).shuffle(prefixes)
    looked_at = 0
    with findings.about(replica.object, "the database knows every blob in its volume") as volume:
        while prefixes and looked_at < _ENOUGH_FILES:
            now, prefixes = prefixes[: storage.AT_ONCE], prefixes[storage.AT_ONCE :]
            found = storage.files(
                lambda argv: running_replicas.output_of(harbor, replica, argv), root, tuple(now)
            )
            looked_at += len(found)
            with harbors_database(harbor) as sql:
                for trouble in storage.orphans(
                    found, lambda digests: contents.recorded(sql, digests), replica.object
                ):
                    volume.wrong(f"{trouble.digest}: {trouble.observed}")
    measured["files_looked_at_count"] = looked_at
