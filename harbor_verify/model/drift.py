"""What replicas of one part run with, side by side. Pure: texts of a running container in, what differs out.

A value is compared by its digest and never told; of a ConfigMap's file the first digits of its digest are.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from kubernetes.client import V1Container

from harbor_verify.model.agreement import prevailing

LOOK = (
    'date +%s; while [ "$1" != -- ]; do echo "$(readlink "$1/..data") $1"; shift; done; shift; echo ==; '
    'sha256sum "$@" 2>/dev/null </dev/null; echo ==; cat "/proc/$$/environ"'
)
"""What a shell in a container is asked: its clock, when the kubelet last wrote each folder of a ConfigMap or Secret,
digests of files, and the environment that the container was made with. (The environment of process 1 has besides what
the image's own start makes of it, which may be another on each pod, and may not be read where that process has changed
its user.) Arguments: folders, `--`, files.

Source: Kubernetes: `..data` leads to a folder that is named after the time at which it was written, in UTC.
"""

_WRITTEN = re.compile(r"\.\.(\d{4}(?:_\d\d){5})\.\d+$")
_DIGEST = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)$")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_REFERENCE = re.compile(r"\$\(([^)]+)\)")
_OF_EACH_POD = re.compile(
    r"HOSTNAME|PWD|OLDPWD|SHLVL|TERM|_|.+_SERVICE_HOST|.+_SERVICE_PORT(?:_.+)?"
    r"|.+_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?"
)
"""Where nobody declares them: variables of the shell, of the pod, and links to the Services that there were."""
_DIGITS = 12


@dataclass(frozen=True)
class Look:
    """What was seen in one running container.

    `digests`: SHA-256 by path, of the files that could be read. `written`: by mountPath when the kubelet last wrote the
    files there. `clock_s`: seconds since 1970 by its own clock.
    """

    clock_s: float
    written: Mapping[str, datetime]
    digests: Mapping[str, str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Thing:
    """One thing that a container runs with: `value` to compare, `shown` what may be told of it."""

    value: str
    shown: str = ""


Things = Mapping[str, Thing]
"""By what an operator calls it."""
ABSENT = Thing("", "absent")


def look_of(printed: str) -> Look:
    """What `LOOK` has printed. Raises ValueError where it is something else."""
    head, digests, environment = printed.split("==\n", 2)
    clock, *folders = head.splitlines()
    written = {}
    for line in folders:
        link, _, folder = line.partition(" ")
        if found := _WRITTEN.match(link):
            written[folder] = datetime.strptime(found[1], "%Y_%m_%d_%H_%M_%S").replace(tzinfo=UTC)
    found_digests = [_DIGEST.match(line) for line in digests.splitlines()]
    variables = [each.partition("=") for each in environment.split("\0") if each]
    return Look(
        clock_s=float(clock),
        written=written,
        digests={each[2]: each[1] for each in found_digests if each},
        environment={name: value for name, _, value in variables},
    )


def variables(
    environment: Mapping[str, str], of_each_pod: Collection[str], declared: Collection[str]
) -> dict[str, Thing]:
    """The variables that replicas have in common; `of_each_pod` (`of_the_pod`) are not.

    What is `declared` is in common whatever its name: DATABASE_PORT is also what a link to a Service is called.
    """
    return {
        f"variable {name}": Thing(digest(value))
        for name, value in environment.items()
        if _VARIABLE.fullmatch(name)
        and name not in of_each_pod
        and (name in declared or not _OF_EACH_POD.fullmatch(name))
    }


def of_the_pod(container: V1Container) -> set[str]:
    """The variables that are another on each pod by declaration: the downward API's, and what is made of them."""
    found: set[str] = set()
    for each in container.env or ():
        source = each.value_from
        of_pod = source is not None and (source.field_ref or source.resource_field_ref)
        if of_pod or not found.isdisjoint(_REFERENCE.findall(each.value or "")):
            found.add(each.name)
        else:
            found.discard(each.name)
    return found


def image_of(image_id: str) -> dict[str, Thing]:
    """The image by its imageID: a digest of the registry's, or of the node's own, which compare with their like only.

    Source: Kubernetes: containerStatuses.imageID.
    """
    _, of_registry, found = image_id.rpartition("@")
    name = "image digest" if of_registry else "image ID"
    return {name: Thing(found, found.rpartition(":")[2][:_DIGITS])} if found else {}


def file(digest_: str, *, secret: bool) -> Thing:
    """A file by its SHA-256; of a Secret nothing is told."""
    return Thing(digest_, "" if secret else f"sha256 {digest_[:_DIGITS]}")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def differing(running: Mapping[str, Things], declared: Things) -> dict[str, list[str]]:
    """By replica, a phrase for each thing that its siblings run with and it does not.

    Right is what is declared now, where any of them has that, else what most have. What could not be seen of a replica
    is not among its things.
    """
    phrases: dict[str, list[str]] = {}
    for name in sorted({name for things in running.values() for name in things}):
        values = {replica: things[name] for replica, things in running.items() if name in things}
        if len(set(values.values())) < 2:
            continue
        usual = declared.get(name)
        of_declared = usual is not None and usual in values.values()
        right = usual if of_declared and usual is not None else prevailing(values.values())
        whose = "its siblings and what is declared now" if of_declared else "its siblings"
        for replica, thing in values.items():
            if thing != right:
                phrases.setdefault(replica, []).append(_phrase(name, thing, right, whose))
    return phrases


def behind(things: Things, declared: Things) -> list[str]:
    """A phrase for each thing that is declared now otherwise than a replica runs with it."""
    return [
        _phrase(name, thing, declared[name], "what is declared now")
        for name, thing in sorted(things.items())
        if name in declared and thing != declared[name]
    ]


def clocks_off(offsets_s: Mapping[str, tuple[float, float]], most_s: float) -> dict[str, float]:
    """By node, how many seconds its clock is ahead of the others', where that is surely more than `most_s`.

    `offsets_s`: (seconds ahead of the clock here, how uncertain that is). The clock here is one of those that decide.
    """
    usual = median([0.0, *(offset for offset, _ in offsets_s.values())])
    return {
        node: offset - usual
        for node, (offset, uncertain) in offsets_s.items()
        if abs(offset - usual) - uncertain > most_s
    }


def _phrase(name: str, thing: Thing, right: Thing, whose: str) -> str:
    if thing == ABSENT:
        return f"{name} is absent, unlike in {whose}"
    if right == ABSENT:
        return f"{name} is there, unlike in {whose}"
    told = f" ({thing.shown}, not {right.shown})" if thing.shown and right.shown else ""
    return f"{name} is another one{told} than in {whose}"
