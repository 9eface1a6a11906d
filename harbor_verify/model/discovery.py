"""Finding a Harbor in a namespace: which profile, which workloads, which volumes."""

import base64
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubernetes import client
from kubernetes.client import V1PodTemplateSpec

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import RightMissing, SettingsError, TargetUnreachable
from harbor_verify.model import controllers
from harbor_verify.model.environment import environment_of
from harbor_verify.model.helm import SELECTOR, Release, release_in
from harbor_verify.model.labels import selector_of_all
from harbor_verify.model.roles import Part, Profile, Role
from harbor_verify.model.rollouts import rollout_of
from harbor_verify.model.volumes import Volume
from harbor_verify.model.workloads import (
    Replica,
    Rollout,
    Workload,
    alive,
    bears_label,
    is_ready,
    own_container,
    release_of,
    replicas_of,
    runs_image,
)
from harbor_verify.profiles import ALL

_ROLLING = frozenset({"Deployment", "StatefulSet"})
"""Who brings pods to a changed template; a ReplicationController leaves that to others."""

_NODES_PER_PAGE = 125
"""Each is some 20 KB, most of it the images that it has."""


@dataclass(frozen=True)
class Backend:
    """What answers behind a host: an address and a port, and the pod that has them, where it is one."""

    address: str
    port: int
    pod: str = ""
    uid: str = ""


class Deployment:
    """A Harbor in a namespace. What can change while the suite runs is read anew at each question."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        namespace: str,
        profile: Profile,
        workloads: dict[Role, Workload],
        hidden: Sequence[RightMissing] = (),
    ) -> None:
        """`workloads` as they were found; `hidden`: the kinds of workloads that this account may not list."""
        self.kubernetes, self.namespace = kubernetes, namespace
        self.profile, self._found = profile, workloads
        self.hidden = tuple(hidden)

    @property
    def workloads(self) -> dict[Role, Workload]:
        """By role, each with the number of replicas that is asked for now: an autoscaler may change it at any time.

        Raises TargetUnreachable.
        """
        now = self._controllers_now({workload.kind for workload in self._found.values()})
        return {
            role: replace(workload, desired=controllers.desired_of(now[role])) if role in now else workload
            for role, workload in self._found.items()
        }

    def rollouts(self) -> dict[Role, Rollout]:
        """How far each workload is that brings its pods to a changed template by itself. Raises TargetUnreachable."""
        return {role: rollout_of(item) for role, item in self._controllers_now(_ROLLING).items()}

    def _controllers_now(self, kinds: Collection[str]) -> dict[Role, Any]:
        """The controllers of Harbor's own workloads of these kinds, by role; one that is gone is left out.

        Asked for by their labels: a namespace may hold any number of others. Where that finds not all of them, because
        somebody took a label away, all of the namespace are looked through. Raises TargetUnreachable.
        """
        wanted = {role: each for role, each in self._found.items() if each.kind in kinds}
        for selector in dict.fromkeys((controllers.selector_of(wanted.values()), "")):
            items, _ = controllers.list_in(
                self.kubernetes, self.namespace, {each.kind for each in wanted.values()}, selector
            )
            by_name = {(kind, item.metadata.name): item for kind, item in items}
            found = {role: by_name.get((each.kind, each.name)) for role, each in wanted.items()}
            if all(found.values()):
                break
        return {role: item for role, item in found.items() if item is not None}

    def workload(self, role: Role) -> Workload:
        """The workload of a role, as it is now; raises TargetUnreachable when the namespace has none."""
        self._require(role)
        return self.workloads[role]

    def _require(self, role: Role) -> Workload:
        if role not in self._found:
            raise TargetUnreachable(f"namespace {self.namespace} has no workload for Harbor's {role}")
        return self._found[role]

    def others(self) -> list[Any]:
        """Controllers of pods of the same release that play no role: what measures or scans. Raises TargetUnreachable.

        Without a label that names a release, all of the namespace.
        """
        items, _ = controllers.list_in(self.kubernetes, self.namespace)
        own = {(workload.kind, workload.name) for workload in self._found.values()}
        labels = [workload.template.metadata.labels for workload in self._found.values()]
        release = next((name for each in labels if (name := release_of(each))), "")
        return [
            item
            for kind, item in items
            if (kind, item.metadata.name) not in own
            and (not release or release_of(item.spec.template.metadata.labels) == release)
        ]

    def replicas(self, role: Role) -> list[Replica]:
        """The pods of a role now, oldest first; empty when there is none."""
        workload = self._require(role)
        pods = self.kubernetes.ask(
            f"list the pods of {workload.object}",
            self.kubernetes.core.list_namespaced_pod,
            self.namespace,
            label_selector=workload.label_selector,
        )
        return replicas_of(workload, pods.items)

    def all_replicas(self) -> dict[Role, list[Replica]]:
        """The pods of each role now, as `replicas` gives them, by one question in place of one for each role."""
        selector = selector_of_all(dict(workload.selector) for workload in self._found.values())
        listed = self.kubernetes.pages(
            f"list the pods of Harbor in {self.namespace}",
            self.kubernetes.core.list_namespaced_pod,
            self.namespace,
            label_selector=selector,
        )
        pods = list(listed)
        return {role: replicas_of(workload, pods) for role, workload in self._found.items()}

    def pods_of(self, controller: Any) -> list[client.V1Pod]:
        """The pods of one of `others` now, oldest first. Raises TargetUnreachable."""
        wanted = controllers.labels_of_pods(controller)
        pods = self.kubernetes.ask(
            f"list the pods of {self.namespace}/{controller.metadata.name}",
            self.kubernetes.core.list_namespaced_pod,
            self.namespace,
            label_selector=",".join(f"{key}={value}" for key, value in sorted(wanted.items())),
        )
        return alive(wanted, pods.items)

    def pod(self, name: str) -> client.V1Pod:
        """A pod of the namespace, whoever's it is. Raises TargetUnreachable."""
        read = self.kubernetes.core.read_namespaced_pod
        return self.kubernetes.ask(f"read pod {self.namespace}/{name}", read, name, self.namespace)

    def volumes(self) -> list[Volume]:
        """The claims that Harbor's workloads name, each once, with the volumes they are bound to.

        Of a StatefulSet also those that each of its pods has for itself (volumeClaimTemplates).
        """
        users: dict[str, set[str]] = {}
        mounted: dict[str, set[str]] = {}
        for role, workload in self._found.items():
            specs = [workload.template.spec]
            if workload.kind == "StatefulSet":
                specs += [replica.pod.spec for replica in self.replicas(role)]
            for pod, volume in ((spec, volume) for spec in specs for volume in spec.volumes or ()):
                if volume.persistent_volume_claim:
                    name = volume.persistent_volume_claim.claim_name
                    users.setdefault(name, set()).add(workload.name)
                    mounted.setdefault(name, set()).update(_folders_of(volume.name, pod))
        listed = self.kubernetes.ask(
            f"list PersistentVolumeClaims in {self.namespace}",
            self.kubernetes.core.list_namespaced_persistent_volume_claim,
            self.namespace,
        )
        claims = {claim.metadata.name: claim for claim in listed.items}
        return [
            Volume(
                namespace=self.namespace,
                claim_name=name,
                claim=claims.get(name),
                volume=self._volume_of(claims.get(name)),
                used_by=tuple(sorted(users[name])),
                mounted=frozenset(mounted[name] or {""}),
            )
            for name in sorted(users)
        ]

    def config_map(self, name: str) -> dict[str, str] | None:
        """The data of a ConfigMap as text, also what is there as binaryData, or None when it does not exist."""
        found = self._read_or_none("ConfigMap", self.kubernetes.core.read_namespaced_config_map, name)
        if found is None:
            return None
        return {**_decoded(found.binary_data), **(found.data or {})}

    def secret(self, name: str) -> dict[str, str] | None:
        """The data of a Secret as text, or None when it does not exist. Never to be shown."""
        found = self._read_or_none("Secret", self.kubernetes.core.read_namespaced_secret, name)
        return None if found is None else _decoded(found.data)

    def helm_releases(self) -> list[Release]:
        """What Helm keeps of the release of Harbor's workloads; without a label that names it, of all that are there.

        Raises RightMissing, TargetUnreachable.
        """
        names = {release_of(workload.template.metadata.labels) for workload in self._found.values()} - {""}
        # Each holds a whole chart: those of others' releases are not read.
        listed = self.kubernetes.ask(
            f"list Secrets of Helm's in {self.namespace}",
            self.kubernetes.core.list_namespaced_secret,
            self.namespace,
            label_selector=f"{SELECTOR},name in ({','.join(sorted(names))})" if names else SELECTOR,
        )
        found = [release for secret in listed.items if (release := release_in(secret.data or {}))]
        return [release for release in found if not names or release.name in names]

    def environment(self, replica: Replica) -> dict[str, str]:
        """The environment of the replica's container, as its pod asks for it; secrets among it."""
        return environment_of(replica.container, self.config_map, self.secret)

    def nodes(self) -> list[client.V1Node]:
        """The cluster's nodes that are Ready, without the images that they tell of. Raises TargetUnreachable."""
        return [node for node in self.all_nodes() if is_ready(node)]

    def all_nodes(self) -> Iterator[client.V1Node]:
        """The cluster's nodes, Ready or not, without the images that they tell of. Raises TargetUnreachable."""
        listed = self.kubernetes.pages("list the nodes", self.kubernetes.core.list_node, most=_NODES_PER_PAGE)
        for node in listed:
            node.status.images = None
            yield node

    def nodes_by_address(self) -> dict[str, str]:
        """The name of the node that has an address, of each that a node tells. Raises TargetUnreachable."""
        return {
            address.address: node.metadata.name
            for node in self.all_nodes()
            for address in node.status.addresses or ()
        }

    def disruption_budgets(self) -> list[client.V1PodDisruptionBudget]:
        """The PodDisruptionBudgets of the namespace."""
        policy = client.PolicyV1Api(self.kubernetes.core.api_client)
        listed = self.kubernetes.ask(
            f"list PodDisruptionBudgets in {self.namespace}",
            policy.list_namespaced_pod_disruption_budget,
            self.namespace,
        )
        return listed.items

    def services_of(self, workload: Workload) -> list[client.V1Service]:
        """The Services that choose the workload's pods.

        One that chooses pods of other parts as well (for their metrics) counts only where the workload has no other.
        """
        listed = self.kubernetes.ask(
            f"list Services in {self.namespace}", self.kubernetes.core.list_namespaced_service, self.namespace
        )
        choosing = [s for s in listed.items if _chooses(s, workload)]
        others = [other for other in self._found.values() if other.role is not workload.role]
        own = [s for s in choosing if not any(_chooses(s, other) for other in others)]
        return own or choosing

    def endpoints(self, service: str) -> list[client.V1Endpoint]:
        """The endpoints of a Service's EndpointSlices that are ready."""
        return [each for _, endpoints in self._slices(service) for each in endpoints]

    def _slices(self, service: str) -> list[tuple[client.V1EndpointSlice, list[client.V1Endpoint]]]:
        """The EndpointSlices of a Service, each with its endpoints that are ready."""
        slices = self.kubernetes.ask(
            f"list EndpointSlices of Service {self.namespace}/{service}",
            client.DiscoveryV1Api(self.kubernetes.core.api_client).list_namespaced_endpoint_slice,
            self.namespace,
            label_selector=f"kubernetes.io/service-name={service}",
        )
        # The API says that `ready` of None means ready.
        return [(s, [e for e in s.endpoints or () if e.conditions.ready is not False]) for s in slices.items]

    def backends(self, host: str, port: int) -> list[Backend]:
        """What `host` and `port`, as a pod of Harbor's would resolve them, lead to: the ready endpoints of a Service,
        or themselves. Empty: a Service that leads to nothing.
        """
        service = self.service_at(host)
        if service is None:
            return [Backend(host, port)]
        if service.spec.external_name:
            return [Backend(service.spec.external_name, port)]
        # The port of a Service and that of its pods have a name in common, which is empty where there is one only.
        names = {each.name or "" for each in service.spec.ports or () if each.port == port}
        found = []
        for each, endpoints in self._slices(service.metadata.name):
            target = next((p.port for p in each.ports or () if (p.name or "") in names and p.port), port)
            for endpoint in endpoints:
                pod = (
                    endpoint.target_ref if endpoint.target_ref and endpoint.target_ref.kind == "Pod" else None
                )
                found += [
                    Backend(address, target, pod.name if pod else "", pod.uid if pod else "")
                    for address in endpoint.addresses[:1]
                ]
        return found

    def service_at(self, host: str) -> client.V1Service | None:
        """The Service of the namespace that `host` names, as a pod of Harbor's would resolve it; None: another host."""
        name, _, domain = host.partition(".")
        if domain and domain != self.namespace and not f"{domain}.".startswith(f"{self.namespace}.svc."):
            return None
        with self.kubernetes.asking(f"read Service {self.namespace}/{name}"):
            try:
                return self.kubernetes.core.read_namespaced_service(name, self.namespace)
            except client.ApiException as answer:
                if answer.status == 404:
                    return None
                raise

    def _read_or_none(self, kind: str, read: Any, name: str) -> Any:
        """The object; None where there is none."""
        with self.kubernetes.asking(f"read {kind} {self.namespace}/{name}"):
            try:
                return read(name, self.namespace)
            except client.ApiException as answer:
                if answer.status == 404:
                    return None
                raise

    def _volume_of(self, claim: client.V1PersistentVolumeClaim | None) -> client.V1PersistentVolume | None:
        if claim is None or not claim.spec.volume_name:
            return None
        with self.kubernetes.asking(f"read PersistentVolume {claim.spec.volume_name}"):
            try:
                return self.kubernetes.core.read_persistent_volume(claim.spec.volume_name)
            except client.ApiException as answer:
                if answer.status in (403, 404):
                    return None
                raise


def discover(
    kubernetes: Kubernetes, namespace: str, wanted: str | None = None, release: str | None = None
) -> Deployment:
    """Find the Harbor in a namespace: of the profile `wanted` and of the release that is named, or whichever it is.

    Raises TargetUnreachable when there is none that is known, or more than one; SettingsError when no profile is
    called `wanted`.
    """
    profiles = {profile.name: profile for profile in ([_profile_named(wanted)] if wanted else ALL)}
    items, hidden = controllers.list_in(kubernetes, namespace)
    where = f"namespace {namespace} at {kubernetes.server}"
    matches = _matches(profiles.values(), namespace, items)
    if release is not None:
        matches = {key: match for key, match in matches.items() if key[1] == release}
    whole = [key for key in matches if profiles[key[0]].required <= set(matches[key])]
    if not whole and release is None:
        # Its parts may bear different labels, or none.
        matches = {(name, ""): _match(profile, namespace, items) for name, profile in profiles.items()}
        whole = [key for key in matches if profiles[key[0]].required <= set(matches[key])]
    if len(whole) == 1:
        return Deployment(kubernetes, namespace, profiles[whole[0][0]], matches[whole[0]], hidden)
    if whole:
        raise TargetUnreachable(f"{where} holds more than one Harbor: {_told_apart(whole, matches)}")
    if hidden:
        raise hidden[0]
    present = ", ".join(f"{kind} {item.metadata.name}" for kind, item in items) or "no workload at all"
    if release is not None:
        raise TargetUnreachable(f"{where} holds no Harbor of release {release}; it holds {present}")
    lacks = ", ".join(_lack(profiles[name], match) for (name, _), match in matches.items())
    raise TargetUnreachable(
        f"{where} holds no Harbor that is known ({lacks}); it holds {present}. Is --namespace right?"
    )


_Matches = dict[tuple[str, str], dict[Role, Workload]]
"""By the name of a profile, and a release."""


def _matches(profiles: Iterable[Profile], namespace: str, items: Sequence[tuple[str, Any]]) -> _Matches:
    """The workloads by role, of each profile and each release: all parts of a Harbor are of one release."""
    by_release: dict[str, list[tuple[str, Any]]] = {}
    for kind, item in items:
        template = item.spec.template.metadata
        name = release_of(template.labels if template else None) or release_of(item.metadata.labels)
        by_release.setdefault(name, []).append((kind, item))
    return {
        (profile.name, release): _match(profile, namespace, same)
        for profile in profiles
        for release, same in by_release.items()
    }


def _told_apart(whole: Sequence[tuple[str, str]], matches: _Matches) -> str:
    """Each by its workloads, and the setting that chooses one."""
    several_profiles = len({profile for profile, _ in whole}) > 1
    candidates = "; ".join(
        f"{profile if several_profiles else f'release {release}'} "
        f"({', '.join(workload.object for workload in matches[profile, release].values())})"
        for profile, release in whole
    )
    return f"{candidates}. Say which: {'--profile' if several_profiles else '--release'} NAME"


def _chooses(service: client.V1Service, workload: Workload) -> bool:
    labels = set((workload.template.metadata.labels or {}).items())
    return bool(service.spec.selector) and set(service.spec.selector.items()) <= labels


def _profile_named(name: str) -> Profile:
    known = {profile.name: profile for profile in ALL}
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
        raise SettingsError(f"--profile {name}: there is no such profile; did you mean {nearest[0]}?")
    return known[name]


def _lack(profile: Profile, workloads: dict[Role, Workload]) -> str:
    """What of a profile's required workloads is not there."""
    missing = sorted(str(role) for role in profile.required - set(workloads))
    return f"of {profile.name} there is no {' and no '.join(missing)} workload"


def _decoded(data: Mapping[str, str] | None) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in (data or {}).items()}


def _match(profile: Profile, namespace: str, items: Sequence[tuple[str, Any]]) -> dict[Role, Workload]:
    """By role, each workload once. Labels go before images: two generations may run images of one name."""
    workloads: dict[Role, Workload] = {}
    for is_known in (bears_label, runs_image):
        for kind, item in items:
            if any(item.spec.template is workload.template for workload in workloads.values()):
                continue
            for role, part in profile.parts.items():
                if role in workloads or not is_known(part, item.spec.template):
                    continue
                port = _port(part, item.spec.template)
                workloads[role] = Workload(
                    role=role,
                    kind=kind,
                    namespace=namespace,
                    name=item.metadata.name,
                    desired=controllers.desired_of(item),
                    selector=tuple(sorted(controllers.labels_of_pods(item).items())),
                    template=item.spec.template,
                    port=port,
                    tls=port == part.tls_port,
                    container=own_container(part, item.spec.template.spec.containers, port).name,
                    labels=item.metadata.labels or {},
                )
                break
    return workloads


def _port(part: Part, template: V1PodTemplateSpec) -> int:
    """Where its pods are spoken to: `tls_port` where only that is declared."""
    declared = {
        port.container_port for container in template.spec.containers for port in container.ports or ()
    }
    if part.tls_port is not None and part.tls_port in declared and part.port not in declared:
        return part.tls_port
    return part.port


def _folders_of(volume: str, spec: client.V1PodSpec) -> Iterator[str]:
    """The folders of a volume that a pod's containers mount; "" is all of it."""
    for container in [*(spec.init_containers or ()), *spec.containers]:
        for mount in container.volume_mounts or ():
            if mount.name == volume:
                yield (mount.sub_path or mount.sub_path_expr or "").strip("/")
