"""What a host of Harbor's settings stands on: Service, pods, and whoever asks for them.

Source: Kubernetes: DNS for Services and Pods, Service spec.selector and externalName, EndpointSlices,
ownerReferences.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes, needing
from harbor_verify.errors import CannotTell, NeedMissing, TargetUnreachable
from harbor_verify.model.controllers import desired_of
from harbor_verify.model.labels import shown
from harbor_verify.model.ways_in import services_at, services_by_ingress
from harbor_verify.model.workloads import is_ready

_LONGEST_WAY = 5
"""ExternalNames that lead to each other are no way."""
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Owner:
    """Who asks for pods. `desired`: how many; of what is none of Kubernetes' own kinds, how many it has now.

    `labels` are those that all of its pods are made with; empty where they are not known. `nodes` are those that its
    Ready pods are on, one for each: a pod that waits for a node, or crashes, answers nobody when another is lost.
    """

    kind: str
    namespace: str
    name: str
    desired: int
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    nodes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def object(self) -> str:
        """Kind and `namespace/name`, as messages say it."""
        return f"{self.kind} {self.namespace}/{self.name}"

    def __str__(self) -> str:
        if self.kind == "pod":
            return f"pod {self.name}, which nothing brings back"
        return f"{self.kind} {self.name} with {self.desired} pod{'' if self.desired == 1 else 's'}"


@dataclass(frozen=True)
class Backing:
    """Where a host leads. `way` are the objects that lead there, the first being what the host names.

    `ready` are those of the `pods` that are Ready; `addresses` those of no pod that is known. `selector` is the last
    Service's; without one somebody else says which pods are behind it. `pod` is the one that the host names itself,
    not by a Service.
    """

    host: str
    way: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
    pods: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    pod: str = ""

    @property
    def in_cluster(self) -> bool:
        """Whether pods of this cluster are what it leads to."""
        return bool(self.owners)

    @property
    def alone(self) -> Owner | None:
        """The owner of the one pod that it leads to and will ever lead to; None where there may be others.

        A Service may lead to whichever of several is the primary now: somebody gives that one a label, or
        writes the endpoints. So a pod is the only one where it was made with the labels that choose it.
        """
        if self.addresses or len(self.owners) != 1:
            return None
        (owner,) = self.owners
        if self.pod:
            return owner
        chosen_for_good = bool(self.selector) and self.selector.items() <= owner.labels.items()
        return owner if owner.desired <= 1 and chosen_for_good else None

    @property
    def why_alone(self) -> str:
        """In words, for what is `alone`."""
        if self.pod:
            named = self.way[0] if self.way else self.host
            return f"{named} is one pod, {self.pod}, and leads to no other when that is lost"
        pods = f"{self.owners[0].desired} pod" + ("s" if self.owners[0].desired != 1 else "")
        return f"{pods}, and {self.way[-1]} leads to no other"

    def __str__(self) -> str:
        if self.owners:
            return ", ".join(map(str, self.owners))
        return ", ".join(self.addresses) or self.host


def backing_of(
    kubernetes: Kubernetes, namespace: str, host: str, *, port: int = 0, everywhere: bool = False
) -> Backing:
    """What `host` leads to, as a pod of `namespace` resolves it; what is no name of the cluster's is outside.

    `everywhere`: an address may be a Service's of any namespace, and a name that of an Ingress, as far as this account
    may list them; else addresses are looked for in this namespace alone. `port`: of the host, where it is known; by it
    a Service is told from others that share the address of a load balancer or a node. Raises NeedMissing, with the
    right, where this account may not look; CannotTell where the way ends nowhere; TargetUnreachable.
    """
    return _Search(kubernetes, namespace, port=port, everywhere=everywhere).follow(host)


def backing_of_service(kubernetes: Kubernetes, service: client.V1Service) -> Backing:
    """What a Service leads to. Raises as `backing_of` does."""
    return _Search(kubernetes, service.metadata.namespace).behind(service, service.metadata.name)


class _Search:
    """One look for what a host leads to."""

    def __init__(
        self, kubernetes: Kubernetes, namespace: str, *, port: int = 0, everywhere: bool = False
    ) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._port, self._everywhere = port, everywhere
        self._core, self._apps = kubernetes.core, kubernetes.apps
        self._owners: dict[str, Owner] = {}

    def follow(self, host: str, way: tuple[str, ...] = ()) -> Backing:
        host = host.strip("[]").rstrip(".")
        if len(way) > _LONGEST_WAY:
            raise CannotTell(f"{' → '.join(way)}: these names lead to each other")
        if _is_address(host):
            return self._by_address(host, way)
        for pod, name, namespace in _readings(host, self._namespace):
            if not (_is_sure(host) or self._is_namespace(namespace, host)):
                continue
            service = self._service(name, namespace)
            if service is None:
                continue
            if not pod:
                return self.behind(service, host, way)
            if service.spec.cluster_ip == "None" and (found := self._pod(pod, namespace)):
                stood = f"pod {namespace}/{pod}"
                return self._of([found], Backing(host, (*way, stood), pod=pod))
        served = services_by_ingress(self._kubernetes, host) if self._everywhere else set()
        if len(served) == 1:
            ((namespace, name),) = served
            if service := self._service(name, namespace):
                return self.behind(service, host, (*way, f"Ingress of {host}"))
        return Backing(host, way, addresses=(host,))

    def behind(self, service: client.V1Service, host: str, way: tuple[str, ...] = ()) -> Backing:
        name, namespace = service.metadata.name, service.metadata.namespace
        way = (*way, f"Service {namespace}/{name}")
        if service.spec.external_name:
            return self.follow(service.spec.external_name, way)
        selector = service.spec.selector or {}
        found = Backing(host, way, selector=selector)
        if selector:
            pods = [
                pod
                for pod in self._pods(namespace, label_selector=",".join(shown(selector)))
                if _is_alive(pod)
            ]
        else:
            endpoints = self._endpoints(name, namespace)
            names = [e.target_ref.name for e in endpoints if e.target_ref and e.target_ref.kind == "Pod"]
            pods = [pod for each in names if (pod := self._pod(each, namespace))]
            outside = [a for e in endpoints if not e.target_ref for a in e.addresses]
            found = replace(found, addresses=tuple(dict.fromkeys(outside)))
        if not pods and not found.addresses:
            raise CannotTell(f"{' → '.join(way)} leads to no pod and to no address now")
        return self._of(pods, found)

    def _of(self, pods: list[client.V1Pod], found: Backing) -> Backing:
        owners = dict.fromkeys(self._owner(pod) for pod in pods)
        ready = tuple(pod.metadata.name for pod in pods if _answers(pod))
        return replace(
            found, owners=tuple(owners), pods=tuple(pod.metadata.name for pod in pods), ready=ready
        )

    def _by_address(self, address: str, way: tuple[str, ...]) -> Backing:
        """A Service's own address, or a pod's of this namespace; others look like addresses outside."""
        with self._reading("list Services", self._namespace):
            for service in self._core.list_namespaced_service(self._namespace).items:
                if address in (service.spec.cluster_ips or [service.spec.cluster_ip]):
                    return self.behind(service, address, way)
        of_others: list[client.V1Service] = []
        with suppress(NeedMissing):
            of_others = services_at(self._kubernetes, [address], {self._port}) if self._everywhere else []
        if len(of_others) == 1:
            return self.behind(of_others[0], address, way)
        for pod in self._pods(self._namespace, field_selector=f"status.podIP={address}"):
            if pod.status.pod_ip == address and not pod.spec.host_network:
                return self._of([pod], Backing(address, way, pod=pod.metadata.name))
        return Backing(address, way, addresses=(address,))

    def _service(self, name: str, namespace: str) -> client.V1Service | None:
        """None where there is none."""
        with self._reading("get Services", namespace):
            try:
                return self._core.read_namespaced_service(name, namespace)
            except client.ApiException as answer:
                if answer.status == 404:
                    return None
                raise

    def _is_namespace(self, name: str, host: str) -> bool:
        """Whether db.example is Service db of namespace example, or a name outside.

        Who may not look it up cannot tell, but of names with two dots, which are nearly always outside.
        """
        if name == self._namespace:
            return True
        try:
            with self._reading("get Namespaces", name):
                self._core.read_namespace(name)
        except TargetUnreachable as answer:
            if isinstance(answer.__cause__, client.ApiException) and answer.__cause__.status == 404:
                return False
            raise
        except NeedMissing:
            if host.count(".") > 1:
                return False
            raise
        return True

    def _pods(self, namespace: str, **selectors: Any) -> Iterator[client.V1Pod]:
        """Page by page where none is given: what is not kept is soon gone."""
        right = f"list pods in namespace {namespace}"
        with needing(self._kubernetes, right):
            yield from self._kubernetes.pages(right, self._core.list_namespaced_pod, namespace, **selectors)

    def _pod(self, name: str, namespace: str) -> client.V1Pod | None:
        with self._reading("get pods", namespace):
            try:
                return self._core.read_namespaced_pod(name, namespace)
            except client.ApiException as answer:
                if answer.status == 404:
                    return None
                raise

    def _endpoints(self, service: str, namespace: str) -> list[client.V1Endpoint]:
        discovery = client.DiscoveryV1Api(self._core.api_client)
        with self._reading("list EndpointSlices", namespace):
            slices = discovery.list_namespaced_endpoint_slice(
                namespace, label_selector=f"kubernetes.io/service-name={service}"
            ).items
        return [endpoint for each in slices for endpoint in each.endpoints or ()]

    def _owner(self, pod: client.V1Pod) -> Owner:
        namespace, labels = pod.metadata.namespace, pod.metadata.labels or {}
        reference = next((r for r in pod.metadata.owner_references or () if r.controller), None)
        if reference is None:
            return Owner("pod", namespace, pod.metadata.name, 1, labels, _nodes_of([pod]))
        if reference.uid not in self._owners:
            self._owners[reference.uid] = self._whoever_asks_for(pod, reference)
        return self._owners[reference.uid]

    def _whoever_asks_for(self, pod: client.V1Pod, reference: client.V1OwnerReference) -> Owner:
        namespace, labels = pod.metadata.namespace, pod.metadata.labels or {}
        kind, name = reference.kind, reference.name
        group = reference.api_version.partition("/")[0]
        if (kind, group) == ("ReplicaSet", "apps") and "pod-template-hash" in labels:
            kind, name = "Deployment", name.removesuffix(f"-{labels['pod-template-hash']}")
        reads = {
            ("Deployment", "apps"): self._apps.read_namespaced_deployment,
            ("StatefulSet", "apps"): self._apps.read_namespaced_stateful_set,
            ("ReplicationController", "v1"): self._core.read_namespaced_replication_controller,
        }
        if read := reads.get((kind, group)):
            with self._reading(f"get {kind}s", namespace):
                try:
                    found = read(name, namespace)
                except client.ApiException as answer:
                    if answer.status != 404:
                        raise
                else:
                    made_with = found.spec.template.metadata.labels or {}
                    made = self._pods(namespace, label_selector=",".join(shown(made_with)))
                    nodes = _nodes_of(made)
                    return Owner(kind, namespace, name, desired_of(found), made_with, nodes)
        # No selector finds pods by their owner.
        owned = [p for p in self._pods(namespace) if _is_alive(p) and _is_owned(p, reference.uid)]
        return Owner(kind, namespace, name, len(owned), nodes=_nodes_of(owned))

    def _reading(self, right: str, namespace: str) -> AbstractContextManager[None]:
        return needing(self._kubernetes, f"{right} in namespace {namespace}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_sure(host: str) -> bool:
    return "." not in host or "svc" in host.split(".")[2:4]


def _readings(host: str, own: str) -> list[tuple[str, str, str]]:
    """What a host may name, in the order in which it is looked up: (pod or "", Service, namespace)."""
    match host.split("."):
        case [service]:
            return [("", service, own)]
        case [first, second]:
            return [(first, second, own), ("", first, second)]
        case [service, namespace, "svc", *_]:
            return [("", service, namespace)]
        case [pod, service, namespace, "svc", *_]:
            return [(pod, service, namespace)]
        case [pod, service, namespace]:
            return [(pod, service, namespace)]
        case _:
            return []


def _is_alive(pod: client.V1Pod) -> bool:
    return pod.metadata.deletion_timestamp is None and pod.status.phase not in _ENDED


def _answers(pod: client.V1Pod) -> bool:
    """Whether it is there to stay, on a node and Ready."""
    return bool(_is_alive(pod) and pod.spec.node_name and is_ready(pod))


def _nodes_of(pods: Iterable[client.V1Pod]) -> tuple[str, ...]:
    return tuple(pod.spec.node_name for pod in pods if _answers(pod))


def _is_owned(pod: client.V1Pod, uid: str) -> bool:
    return any(reference.uid == uid for reference in pod.metadata.owner_references or ())
