"""The parts of a baseline that the cluster and the database tell."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes.client import V1Container

from harbor_verify.baseline.fingerprints import Fingerprints
from harbor_verify.clients.http import expect
from harbor_verify.errors import AnswerError, CannotTell, TargetUnreachable
from harbor_verify.facts import Fact
from harbor_verify.facts.gathering import facts_of
from harbor_verify.model.configuration import given_files, text_at
from harbor_verify.model.environment import environment_of
from harbor_verify.model.roles import Role
from harbor_verify.model.rollouts import rollout_of
from harbor_verify.model.upgrades import Entry, Item, Unread
from harbor_verify.model.volumes import source_of
from harbor_verify.model.workloads import Replica, Workload, release_of
from harbor_verify.redaction import is_secret_name, secrets_in
from harbor_verify.target import Target

_OF_INTEREST = ("exposure", "images", "database", "session_store", "internal_tls", "auth_mode")
_REQUESTS = 7
_HOPELESS = (
    *("CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull"),
    *("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RunContainerError", "Unschedulable"),
)
"""Reasons of a pod that is not Ready, and will not be by waiting."""


def deployment(target: Target) -> Iterator[Item]:
    """Where things are: what the facts at the top of a run say."""
    yield Entry("URL", target.url)
    facts = facts_of(target).named()
    for name in _OF_INTEREST:
        fact = facts[name]
        if fact.source.startswith("it cannot be found out"):
            yield Unread(name.replace("_", " "), fact.source)
        else:
            yield Entry(
                name.replace("_", " "), _without_redirect(fact) if name == "images" else str(fact.value)
            )
    for name, store in (
        ("database address", target.database),
        ("session store address", target.session_store),
    ):
        try:
            yield Entry(name, str(store()))
        except (AnswerError, CannotTell, TargetUnreachable) as reason:
            yield Unread(name, str(reason))


def workloads(target: Target) -> Iterator[Item]:
    """By role: images as they are declared, and how many replicas; beside it how its pods are."""
    rollouts = target.deployment.rollouts()
    for role, workload in sorted(target.deployment.workloads.items()):
        replicas = target.deployment.replicas(role)
        declared = {each.name: each.image for each in workload.template.spec.containers}
        value = {"object": workload.object, "replicas": workload.desired, "images": declared}
        beside = {
            "tag": tag_of(_own_container(workload).image),
            "ready": sum(replica.ready for replica in replicas),
            "rollout": rollouts.get(role),
            "hopeless": [replica.object for replica in replicas if _is_hopeless(replica)],
            "former": [
                replica.object for replica in replicas if declared.items() - _images_of(replica).items()
            ],
        }
        yield Entry(str(role), value, beside)
    # Without a label that names the release, whatever else is there may be anybody's.
    labels = [each.template.metadata.labels for each in target.deployment.workloads.values()]
    for item in target.deployment.others() if any(map(release_of, labels)) else ():
        kind = type(item).__name__.removeprefix("V1")
        declared = {each.name: each.image for each in item.spec.template.spec.containers}
        name, rollout = f"{kind} {target.namespace}/{item.metadata.name}", rollout_of(item)
        desired, ready = rollout.desired, item.status.ready_replicas or 0
        value = {"object": name, "replicas": desired, "images": declared}
        yield Entry(
            name, value, {"tag": "", "ready": ready, "rollout": rollout, "hopeless": [], "former": []}
        )


def versions(target: Target) -> Iterator[Item]:
    """What Harbor calls itself at each web replica, which tells it to the administrator alone."""
    told: dict[str, list[str]] = {}
    for replica in target.deployment.replicas(Role.WEB):
        try:
            version = target.web(replica).version(target.administrator(replica))
            told.setdefault(version, []).append(replica.object)
        except (AnswerError, CannotTell) as silence:
            yield Unread(replica.object, str(silence))
    if told:
        yield Entry("version", sorted(told), told)


def schema(target: Target) -> Iterator[Item]:
    """Of the database; nothing where this generation has no migrations."""
    if target.profile.migrations is None:
        return
    with target.sql() as sql:
        rows = target.profile.migrations(sql)
    if not rows:
        raise CannotTell("the database says of no migration")
    version = max(row.version for row in rows)
    yield Entry("schema", {"version": version, "dirty": any(row.dirty for row in rows)})


def claims(target: Target) -> Iterator[Item]:
    """By name, the PersistentVolumeClaims that Harbor uses."""
    for volume in target.deployment.volumes():
        claim = volume.claim
        value = {
            "uid": claim.metadata.uid if claim else None,
            "volume": claim.spec.volume_name if claim else None,
            "where": source_of(volume.volume) if volume.volume else None,
            "capacity": (claim.status.capacity or {}).get("storage") if claim else None,
            "used by": list(volume.used_by),
        }
        yield Entry(volume.claim_name, value, volume.phase)


def secrets(target: Target, fingerprints: Fingerprints) -> Iterator[Item]:
    """What a pod that starts now is given: by role, container and variable, or path, a fingerprint."""
    lockouts = target.profile.upgrade.lockouts if target.profile.upgrade else {}
    for role, workload in sorted(target.deployment.workloads.items()):
        for name, secret in sorted(_secrets_of(target, workload, set(lockouts)).items()):
            yield Entry(f"{role} {name}", fingerprints.of(secret), len(secret))


def latency(target: Target) -> Iterator[Item]:
    """Milliseconds, the median of a few requests to the front door, one after the other."""
    front, credentials = target.front_door, target.credentials
    asks: dict[str, Callable[[], object]] = {
        "page": lambda: expect(front.http.get("/"), 200, 301, 302, 307, 308),
        "sign-in by password": lambda: front.whoami_by_password(credentials),
        "projects": lambda: front.birth_marks(credentials),
    }
    for name, ask in asks.items():
        try:
            yield Entry(name, round(statistics.median(_taken_ms(ask) for _ in range(_REQUESTS)), 1))
        except AnswerError as silence:
            yield Unread(name, str(silence))


def _without_redirect(fact: Fact[Any]) -> str:
    """Where images are; whether clients are led there is another matter."""
    words = [str(fact.value), *filter(None, fact.detail.split(", "))]
    return ", ".join(word for word in words if "redirect" not in word)


def _taken_ms(ask: Callable[[], object]) -> float:
    begun = time.monotonic()
    ask()
    return (time.monotonic() - begun) * 1000


def tag_of(image: str | None) -> str:
    """registry:5000/goharbor/x:v2.12.4@sha256:… → v2.12.4; empty where there is none."""
    return (image or "").partition("@")[0].rpartition("/")[2].partition(":")[2]


def _images_of(replica: Replica) -> dict[str, str]:
    return {each.name: each.image for each in replica.pod.spec.containers}


def _is_hopeless(replica: Replica) -> bool:
    return not replica.ready and any(reason in replica.state for reason in _HOPELESS)


def _secrets_of(target: Target, workload: Workload, wanted: set[str]) -> dict[str, str]:
    """By container and variable, or path. `wanted` are secrets whatever they are called, wherever they come from."""
    deployment, spec = target.deployment, workload.template.spec
    found: dict[str, str] = {}
    for container in spec.containers:
        variables = environment_of(container, deployment.config_map, deployment.secret)
        for name, text in variables.items():
            if name in wanted or is_secret_name(name):
                found[f"{container.name} {name}"] = text
            elif parts := secrets_in({name: text}):
                found[f"{container.name} {name}"] = "\n".join(sorted(parts))
        for file in given_files(spec, container, deployment.config_map, deployment.secret):
            if file.is_secret:
                found[f"{container.name} {file.path}"] = file.text
        for path in (each for each in wanted if each.startswith("/")):
            found[f"{container.name} {path}"] = (
                text_at(path, spec, container, deployment.config_map, deployment.secret) or ""
            )
    # The same secret is often a variable, too, which nobody reads.
    known = {text for name, text in found.items() if name.rpartition(" ")[2] in wanted}
    return {
        name: text
        for name, text in found.items()
        if text and (text not in known or name.rpartition(" ")[2] in wanted)
    }


def _own_container(workload: Workload) -> V1Container:
    return next(each for each in workload.template.spec.containers if each.name == workload.container)
