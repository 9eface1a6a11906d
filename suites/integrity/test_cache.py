"""The Redis in which registry replicas keep what they have seen of blobs: whether it is true."""

from harbor_verify.audit import cache, sample
from harbor_verify.audit import harbor as parts
from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.result import gather
from harbor_verify.audit.walk import Stopped, Walk
from harbor_verify.checks import check
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_MOST_ASKED = 300
_FOR_ALL = "gives a byte of what Redis vouches for, as another replica does"


@check(
    "integrity.redis-vouches-for-what-is-there",
    hint="As long as Redis vouches for a layer, HEAD is 200, docker push says that the layer already exists, and the "
    "image can never be pulled. Of a repository that Harbor has not: two Harbors use one database of one Redis for "
    "their registries; separate them (config.yml of the registry: redis.addr, redis.db; the chart: "
    "redis.external.registryDatabaseIndex). Of a repository that it has: a garbage collection did not end, or the "
    "storage was restored from before. Then empty that database (FLUSHDB, where nothing else is in it): it is a cache, "
    "which fills itself again. Push the image again. A replica that is named gives none of what others give: leave "
    "Redis alone, compare that replica's mount and configuration with the others', and delete its pod.",
    source="distribution: storage.cache.blobdescriptor, registry/storage/cache/redis; reports 22571 and 19988 of "
    "goharbor/harbor",
    needs=("session-store",),
    builds_on=("registry.pushed-on-one-pulled-on-every", "registry.redirect-leads-to-the-blob"),
)
def test_redis_vouches_for_what_is_there(harbor: Target, findings: Findings, not_applicable, measured):
    """Of every layer that the registry's Redis vouches for (a sample of 300) a byte comes.

    Source: its keys repository::NAME::blobs::DIGEST, which only the registry writes, against a GET of one replica, and
    of the others where that gives none: what any of them gives, Redis vouches for rightly.
    """
    store = parts.cache_of(harbor)
    if store is None:
        not_applicable("the registry keeps no descriptors of blobs in a Redis")
    place, notebook = f"Redis {store}", Notebook()
    expected = "what it vouches for in a repository is in the storage"
    with (
        findings.about(place, expected) as vouching,
        parts.open_cache(harbor, store) as redis,
        Walk(notebook, parts.sources(harbor), Pace(requests_per_s=200)) as walk,
    ):
        asked, ended = 0, ""
        try:
            asked = cache.links(
                notebook, walk, redis, place, lambda name: parts.knows_repository(harbor, name), _MOST_ASKED
            )
        except Stopped as stopped:
            ended = str(stopped)
        except StoreRefused as refused:
            # What cannot be read vouches for nothing that could be seen to be gone.
            raise CannotTell(str(refused)) from refused
        measured["descriptors_asked_for_count"] = asked
        for each in gather(notebook):
            if each.kind is Kind.NOT_EVERYWHERE:
                for replica in each.places:
                    findings.wrong(
                        replica, _FOR_ALL, f"{each.digest} of {each.repositories[0]}: {each.observed}"
                    )
                continue
            other = each.kind is Kind.FOREIGN
            whose = f"{each.repositories[0]}, which Harbor has not" if other else each.repositories[0]
            vouching.wrong(f"{each.digest} of {whose}: {each.observed}")
        sample.tell_unread(notebook, ended, vouching)
