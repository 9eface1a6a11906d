"""Finding out what a deployment is, from its objects in the cluster and from Harbor itself.

What may not be read, or is not told, is unknown: it decides no verdict.
"""

from collections.abc import Callable
from typing import TypeVar

from harbor_verify.errors import AnswerError, CannotTell, NeedMissing, TargetUnreachable, WrongConfiguration
from harbor_verify.facts.model import Exposure, Fact, Facts, ImageStore, StorePlace, absent_with
from harbor_verify.model import configuration, ways_in
from harbor_verify.model.managed import by_name
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

T = TypeVar("T")
_KINDS = {"mysql": "MySQL", "postgresql": "PostgreSQL"}


def facts_of(target: Target) -> Facts:
    """All facts about a target, as far as they can be found out."""
    workloads = target.deployment.workloads
    # What clients come to is no word between components.
    encrypted = any(part.tls for role, part in workloads.items() if role is not Role.FRONT_DOOR)
    internal_tls = Fact(encrypted, "the ports that containers declare")
    images = _or_unknown(ImageStore.UNKNOWN, lambda: _images(target))
    absent = absent_with(images.value) | (frozenset() if encrypted else {Feature.INTERNAL_TLS})
    return Facts(
        version=_answer_of_harbor(
            "Harbor's own answer", "not told", lambda: target.front_door.version(target.credentials)
        ),
        exposure=_or_unknown(Exposure.UNKNOWN, lambda: _exposure(target)),
        images=images,
        database=_or_unknown(StorePlace.UNKNOWN, lambda: _database(target)),
        session_store=_or_unknown(StorePlace.UNKNOWN, lambda: _session_store(target)),
        internal_tls=internal_tls,
        auth_mode=_answer_of_harbor("Harbor's own answer", "not told", target.front_door.authentication_mode),
        parts={role: workload.desired for role, workload in workloads.items()},
        features=target.profile.features - absent,
    )


def _or_unknown(unknown: T, find: Callable[[], Fact[T]]) -> Fact[T]:
    try:
        return find()
    except (AnswerError, CannotTell, NeedMissing, TargetUnreachable, WrongConfiguration, Failure) as error:
        return Fact(unknown, f"it cannot be found out: {error}")


def _answer_of_harbor(source: str, unknown: str, ask: Callable[[], str]) -> Fact[str]:
    try:
        return Fact(ask() or unknown, source)
    except (AnswerError, TargetUnreachable) as error:
        return Fact(unknown, f"it cannot be found out: {error}")


def _exposure(target: Target) -> Fact[Exposure]:
    deployment = target.deployment
    if Role.FRONT_DOOR in deployment.workloads:
        return Fact(Exposure.OWN_PROXY, deployment.workload(Role.FRONT_DOOR).object)
    behind = target.services_for_clients()
    for ingress in ways_in.ingresses_to(target.kubernetes, target.namespace, behind):
        hosts = ", ".join(rule.host for rule in ingress.spec.rules or () if rule.host)
        return Fact(Exposure.INGRESS, f"Ingress {target.namespace}/{ingress.metadata.name}", hosts)
    for route in ways_in.routes_to(target.kubernetes, target.namespace, behind):
        return Fact(Exposure.ROUTE, f"HTTPRoute {target.namespace}/{route['metadata']['name']}")
    return Fact(Exposure.UNKNOWN, f"no Ingress and no HTTPRoute in {target.namespace} leads to it")


def _images(target: Target) -> Fact[ImageStore]:
    replicas = target.deployment.replicas(Role.REGISTRY)
    if not replicas:
        return Fact(ImageStore.UNKNOWN, f"{target.workload(Role.REGISTRY).object} has no pod")
    replica = replicas[0]
    spec, container = replica.pod.spec, replica.container
    deployment = target.deployment
    files = configuration.given_texts(spec, container, deployment.config_map, deployment.secret)
    path = configuration.config_path_in_spec(container) or next(
        (name for name, text in files.items() if configuration.is_registry_config(text)), None
    )
    if path not in files:
        return Fact(ImageStore.UNKNOWN, f"{replica.object} mounts no configuration of a registry")
    storage = configuration.registry_storage(files[path], target.deployment.environment(replica))
    if storage is None:
        return Fact(ImageStore.UNKNOWN, f"{path} names no storage driver")
    if storage.outside or storage.root is None:
        redirect = (
            "clients are redirected to it" if configuration.redirects(files[path]) else "without redirect"
        )
        detail = ", ".join(filter(None, (f"driver {storage.driver}", storage.bucket, redirect)))
        return Fact(ImageStore.OBJECT_STORE, path, detail)
    return _on_a_volume(replica, storage.root, path)


def _on_a_volume(replica: Replica, root: str, path: str) -> Fact[ImageStore]:
    if claim := configuration.claim_at(root, replica.pod.spec, replica.container):
        return Fact(ImageStore.CLAIMS, path, f"{root} in PersistentVolumeClaim {claim}")
    volume = configuration.volume_at(root, replica.pod.spec, replica.container)
    if volume is None or volume.empty_dir:
        return Fact(ImageStore.CONTAINER, path, f"{root}, which goes with the pod")
    return Fact(ImageStore.INLINE_VOLUME, path, f"{root} in volume {volume.name}")


def _database(target: Target) -> Fact[StorePlace]:
    database = target.database()
    secured = [f"TLS {database.tls}"] if database.tls else []
    kind = _KINDS.get(database.kind, database.kind)
    return _place(target, database.host, f"{kind} at {database.address}", secured)


def _session_store(target: Target) -> Fact[StorePlace]:
    store = target.session_store()
    if store is None:
        return Fact(StorePlace.NONE, "Harbor's settings name none")
    more = [f"primary {store.primary} of Sentinels"] if store.primary else []
    more += ["TLS"] if store.tls else []
    return _place(target, store.host, f"Redis at {store.address}", more)


def _place(target: Target, host: str, what: str, more: list[str]) -> Fact[StorePlace]:
    """What a host stands on: pods, by who asks for them, or addresses outside."""
    backing = target.backing(host)
    source = " → ".join(backing.way) or "Harbor's settings"
    if backing.in_cluster:
        return Fact(StorePlace.IN_CLUSTER, source, ", ".join([what, str(backing), *more]))
    ends = [f"which is {backing}"] if backing.way else []
    detail = ", ".join([what, *ends, *more])
    if managed := next(filter(None, map(by_name, backing.addresses)), ""):
        return Fact(StorePlace.MANAGED, managed, detail)
    return Fact(StorePlace.OUTSIDE, source, detail)
