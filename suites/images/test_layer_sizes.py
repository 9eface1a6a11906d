"""Layers of sizes at which proxies have their limits."""

import time

from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.large_content import LargeContent
from harbor_verify.clients.registry import Registry
from harbor_verify.doors import Door, first_answer
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.settings import Settings

_TOO_LARGE = 413
_SMALL_MIB = (1, 10)
_MIB = 2**20
_GIB = 2**30
_LIMITS = ": the front door limits how large a request may be"


@check(
    "images.layer-sizes",
    hint="413 is the front door's limit, and the smallest size that fails says which (nginx's own default is 1 MiB): "
    "{body_limit}. One pod of several: it runs with another configuration, delete it. A time-out: {buffering}, so that "
    "nothing waits for the whole layer. A 5xx: the storage, or the folder where the proxy keeps what it buffers, may "
    "be full. A replica without the layer: storage is not shared.",
    source="nginx: client_max_body_size; OCI distribution specification; goharbor/harbor-operator report 62",
    builds_on=(
        "configuration.replicas-run-alike",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_layers_of_every_size_pass_the_front_door(
    doors: list[Door],
    findings: Findings,
    project,
    settings: Settings,
    measured,
    front_replicas: list[Door],
):
    """Layers of 1, 10 and 100 MiB and one byte pass the front door both ways; every replica has those of 1 and 10 MiB.

    Source: OCI distribution specification. One byte above the usual limits of proxies. The small ones are
    sent with their length, as containerd does; the large one without, in pieces, as docker does. Its size is
    a setting (--large-layer-mib). None of them is in memory as a whole. By its address and, as nobody chooses which of
    its replicas answers there, by each of those on its own: of what is larger than 1 MiB those get the head alone.
    --large-layer-gib adds one that is sent with its length, by the address alone, for proxies that count in 32 bits.
    """
    (front, *_), repository, gib = doors, f"{project}/sizes", settings.large_layer_gib
    large_mib = settings.large_layer_mib
    for size_bytes, size, send, takers, givers in (
        *((each * _MIB, f"{each} MiB", _send_with_length, front_replicas, doors) for each in _SMALL_MIB),
        (large_mib * _MIB, f"{large_mib} MiB", _send_in_pieces, front_replicas, [front]),
        *([(gib * _GIB, f"{gib} GiB", _send_with_length, [], [front])] if gib else []),
    ):
        content, size = LargeContent(size_bytes + 1), f"a layer of {size} and one byte"
        begun_s = time.monotonic()
        is_there = _takes(front, send, repository, content, size, findings)
        pushed_s = time.monotonic()
        for replica in takers:
            if size_bytes == _SMALL_MIB[0] * _MIB:
                _takes(replica, send, repository, content, size, findings)
                continue
            with findings.about(replica.object, f"takes {size}") as head:
                answer = first_answer(replica, repository, len(content))
                if f" {_TOO_LARGE} " in answer:
                    head.wrong(f"{answer}{_LIMITS}")
        if not is_there:
            continue
        pull_begun_s = time.monotonic()
        for giver in givers:
            with findings.about(giver.object, f"gives {size} that the front door took") as pull:
                digest, length = registry_asks.stream_digest(giver.registry, repository, content.digest)
                if digest != content.digest:
                    pull.wrong(
                        f"{length} bytes of digest {digest[:19]}, not {len(content)} of {content.digest[:19]}"
                    )
        if send is _send_in_pieces:
            measured["push_mib_per_s"] = round(large_mib / (pushed_s - begun_s), 1)
            measured["pull_mib_per_s"] = round(large_mib / (time.monotonic() - pull_begun_s), 1)


def _takes(door: Door, send, repository: str, content: LargeContent, size: str, findings: Findings) -> bool:
    with findings.about(door.object, f"takes {size}") as push:
        try:
            send(door.registry, repository, content)
            return True
        except UnexpectedAnswer as answer:
            push.wrong(f"{answer}" + (_LIMITS if answer.status == _TOO_LARGE else ""))
    return False


def _send_with_length(registry: Registry, repository: str, content: LargeContent) -> None:
    registry_asks.push_whole(registry, registry.begin_upload(repository), content)


def _send_in_pieces(registry: Registry, repository: str, content: LargeContent) -> None:
    registry_asks.push_in_pieces(registry, registry.begin_upload(repository), content)
