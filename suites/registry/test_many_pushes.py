"""So many pushes that one replica which keeps only most of them is noticed."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain

from harbor_verify.checks import check
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target

_EACH = 240
"""For each replica: of one that loses a push in fifty all are kept once in a hundred runs."""
_MOST = 2400
_THREADS = 8
_ASKED = 2
"""Of each: so many registry replicas, so that one that has it for itself alone is not believed."""
_NOT_THERE = 404


@dataclass(frozen=True)
class _Taken:
    """A push that was acknowledged."""

    repository: str
    digest: str
    by: str


@check(
    "registry.every-push-kept",
    hint="A push was acknowledged, and its manifest is not there. Only some registry replicas have it: they keep part "
    "of their files for themselves, on a mount or in a cache below the folder that all should share. Compare `mount` "
    "and the folder of that digest in each (`kubectl exec`); save what they alone have, then delete their pods. "
    "{shared_images}. None of them has it: somebody answers before the registry has written (a proxy or a cache "
    "between {web} and registry), the storage says that it wrote and did not, or something deletes what is new (a "
    "second garbage collection, a lifecycle rule of a bucket).",
    source="OCI distribution specification: a push is acknowledged with 201 once the manifest is kept",
    needs=("disruption",),
    builds_on=(
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
        "registry.pushed-on-one-pulled-on-every",
    ),
)
def test_every_push_that_is_acknowledged_is_kept(
    harbor: Target, findings: Findings, project, new_image: Callable[[], Image], measured, tell
):
    """Of hundreds of small pushes that are acknowledged, every one is there, whichever replica is asked.

    Source: 240 manifests for each replica of the registry, or of whoever serves docker clients, of one image; pushed to
    those by tag, some at a time, and asked of two registry replicas each, by digest. What one has not is asked of all.
    A replica that loses one push in fifty passes a smaller number by luck; so many are a load, about a minute of it,
    that only who may disrupt puts on a registry.
    """
    takers, keepers = harbor.registry_api_replicas(), harbor.replicas(Role.REGISTRY)
    count = min(_EACH * max(len(takers), len(keepers)), _MOST)
    if count < _EACH * max(len(takers), len(keepers)):
        tell(f"{count} pushes: fewer than {_EACH} for each replica")
    # As many at each.
    lanes_count = len(takers) * max(1, _THREADS // len(takers))
    image = new_image()

    def push(lane: int) -> tuple[list[_Taken], Findings]:
        replica, own, taken = takers[lane % len(takers)], Findings(), []
        repository = f"{project}/many-{lane}"
        with _own_registry(harbor, replica) as registry, own.about(replica.object, "takes many small pushes"):
            registry.push(image, repository, "first")
            for number in range(lane, count, lanes_count):
                manifest = _numbered(image, number)
                digest = registry.push_manifest(repository, f"n{number}", manifest)
                taken.append(_Taken(repository, digest, replica.name))
        return taken, own

    with ThreadPoolExecutor(_THREADS) as pool:
        lanes = list(pool.map(push, range(lanes_count)))
    acknowledged = [each for taken, _ in lanes for each in taken]
    measured["pushes_count"] = len(acknowledged)
    for _, own in lanes:
        findings.take(own)
    missing = _missing(harbor, acknowledged, keepers, findings)
    measured["pushes_lost_count"] = len(missing)
    for places, lost in _by_places(missing, keepers).items():
        taker = ", ".join(sorted({each.by for each in lost}))
        findings.wrong(
            places,
            f"has every manifest of {len(acknowledged)} that were acknowledged",
            f"{len(lost)} are not there, pushed by way of {taker}: {lost[0].repository}@{lost[0].digest}",
        )


def _missing(
    harbor: Target, acknowledged: list[_Taken], keepers: list[Replica], findings: Findings
) -> dict[_Taken, list[str]]:
    """What some registry replicas have not, and which of them, as objects."""

    def ask(keeper: Replica, asked: list[_Taken]) -> list[_Taken]:
        lacking, own = [], Findings()
        with _own_registry(harbor, keeper) as registry, own.about(keeper.object, "gives manifests"):
            lacking = [each for each in asked if not _has(registry, each)]
        found.append(own)
        return lacking

    found: list[Findings] = []
    shares = [
        [each for number, each in enumerate(acknowledged) if (number - position) % len(keepers) < _ASKED]
        for position in range(len(keepers))
    ]
    with ThreadPoolExecutor(len(keepers)) as pool:
        suspected = list(dict.fromkeys(chain.from_iterable(pool.map(ask, keepers, shares))))
        lacking = list(pool.map(ask, keepers, [suspected] * len(keepers))) if suspected else []
    for own in found:
        findings.take(own)
    by_push: dict[_Taken, list[str]] = {}
    for keeper, lacks in zip(keepers, lacking, strict=False):
        for each in lacks:
            by_push.setdefault(each, []).append(keeper.object)
    return by_push


def _by_places(missing: dict[_Taken, list[str]], keepers: list[Replica]) -> dict[str, list[_Taken]]:
    """What the same replicas have not together, the places in words."""
    together: dict[str, list[_Taken]] = {}
    for each, places in missing.items():
        everywhere = len(places) == len(keepers)
        together.setdefault("every registry replica" if everywhere else ", ".join(places), []).append(each)
    return together


def _has(registry: Registry, pushed: _Taken) -> bool:
    """Raises AnswerError where the answer is neither yes nor no."""
    try:
        registry.manifest(pushed.repository, pushed.digest)
    except UnexpectedAnswer as refusal:
        if refusal.status != _NOT_THERE:
            raise
        return False
    return True


def _numbered(image: Image, number: int) -> bytes:
    """A manifest of its own for the same image."""
    document = json.loads(image.manifest)
    return json.dumps({**document, "annotations": {"harbor-verify.number": str(number)}}).encode()


@contextmanager
def _own_registry(harbor: Target, replica: Replica) -> Iterator[Registry]:
    """By a connection of its own."""
    with closing(harbor.new_link(replica)) as link:
        yield harbor.registry_by(link, replica)
