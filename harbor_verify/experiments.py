"""Everything that can be broken, each among clients at work: what it is done to, and what clients may notice of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import cast
from urllib.parse import urlsplit

from harbor_verify.clients.capabilities import RunsJobs
from harbor_verify.disruptions.api_server_loss import ApiServerLoss
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.container import ContainerDisruption
from harbor_verify.disruptions.container_kill import ContainerKill
from harbor_verify.disruptions.dns_loss import DnsLoss
from harbor_verify.disruptions.job_kill import JobKill
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.network_loss import NetworkLoss
from harbor_verify.disruptions.network_slowness import NetworkSlowness
from harbor_verify.disruptions.node_drain import NodeDrain
from harbor_verify.disruptions.node_drain_kill import NodeDrainKill
from harbor_verify.disruptions.node_loss import NodeLoss
from harbor_verify.disruptions.node_memory_pressure import NodeMemoryPressure
from harbor_verify.disruptions.node_pressure import NodePressure
from harbor_verify.disruptions.pause import Pause
from harbor_verify.disruptions.rolling_restart import RollingRestart
from harbor_verify.disruptions.scale_down import ScaleDown
from harbor_verify.disruptions.server_blackhole import ServerBlackhole
from harbor_verify.disruptions.server_hang import ServerHang
from harbor_verify.disruptions.server_isolation import ServerIsolation
from harbor_verify.disruptions.server_kill import ServerKill
from harbor_verify.disruptions.server_restart import ServerRestart
from harbor_verify.disruptions.servers_restart import ServersRestart
from harbor_verify.disruptions.volume_full import VolumeFull
from harbor_verify.errors import CannotTell, HarnessError, HealFailed, NotApplicable, OutageTooLong
from harbor_verify.failover import Experiment
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from harbor_verify.pod_deletion import pod_kill, require_whole
from harbor_verify.settings import Settings
from harbor_verify.survival import Budgets, Survival, together
from harbor_verify.target import Target
from harbor_verify.verdict import Failure
from harbor_verify.workloads.images import Push

_AT_ONCE_S = 1
"""The grace of an abrupt kill: with none the API forgets the pod at once, and the kubelet gives it all it asks for."""
_LONGER_S = 3
"""What is bad lasts so much longer than an outage may: else a Harbor that does nothing about it would pass. A client
asks at least each 0.8 s."""

Made = tuple[Disruption, Iterable[str]]
"""A disruption, and the replicas, by name, that it is done to."""


@dataclass(frozen=True)
class Experiments:
    """One method a disruption. All raise Failure when Harbor is not whole before, and what `Experiment.run` raises.

    Which replica or node is hit is drawn from `seed`; each disruption is done as often as the setting `repeat`
    says, with a history each, which `another_recorder` opens (it takes a number from 1 on).
    """

    target: Target
    recorder: Recorder
    settings: Settings
    experiment: Experiment
    seed: str = "0"
    another_recorder: Callable[[int], Recorder] = lambda number: Recorder()
    harbors_own: Callable[[str], None] = lambda flaw: None
    """Told what was seen that every Harbor does."""

    def pod_kill(self, role: Role) -> Survival:
        """A pod of a role is deleted, with the grace that it asks for."""

        def make(recorder: Recorder, draw: Random) -> Made:
            workload = self._whole(role)
            ordinal = self._ordinal(workload, draw)
            kill = pod_kill(self.target, workload, recorder, self.settings, ordinal=ordinal)
            return kill, [_name(workload, ordinal)]

        return self._run(make, self._graceful())

    def abrupt_pod_kill(self, role: Role) -> Survival:
        """The same without grace."""

        def make(recorder: Recorder, draw: Random) -> Made:
            workload = self._whole(role)
            ordinal = self._ordinal(workload, draw)
            kill = pod_kill(
                self.target,
                workload,
                recorder,
                self.settings,
                ordinal=ordinal,
                grace_period_s=_AT_ONCE_S,
            )
            return kill, [_name(workload, ordinal)]

        return self._run(make, self._abrupt())

    def container_kill(self, role: Role) -> Survival:
        """SIGKILL to the program of a replica."""
        recovery_ms = self.settings.recovery_budget_s * 1000
        budgets = Budgets(
            self.settings.crash_outage_budget_ms, recovery_ms=recovery_ms, response_ms=recovery_ms
        )
        return self._on_container("container-kill", ContainerKill, role, budgets)

    def pause(self, role: Role) -> Survival:
        """SIGSTOP to the program of a replica."""
        disruption = partial(Pause, lasts_s=self.settings.hang_outage_budget_s + _LONGER_S)
        return self._on_container("pause", disruption, role, self._hanging())

    def network_loss(self, role: Role) -> Survival:
        """Packets to and from a replica get lost."""
        disruption = partial(NetworkLoss, lasts_s=self.settings.hang_outage_budget_s + _LONGER_S)
        return self._on_container("network-loss", disruption, role, self._hanging())

    def network_slowness(self, role: Role) -> Survival:
        """The way to and from a replica becomes slow."""
        disruption = partial(NetworkSlowness, lasts_s=self.settings.hang_outage_budget_s + _LONGER_S)
        return self._on_container("network-slowness", disruption, role, self._hanging())

    def rolling_restart(self, role: Role) -> Survival:
        """All pods of a role are replaced, one after the other."""

        def make(recorder: Recorder, draw: Random) -> Made:
            workload = self._whole(role)
            restart = RollingRestart(
                "rolling-restart",
                self.target.kubernetes,
                recorder,
                workload,
                self.target.ledger,
                timeout_s=self._timeout_s,
            )
            return restart, self._all(role)

        return self._run(make, self._graceful(recovery=False))

    def scale_down(self, role: Role) -> Survival:
        """A role is scaled down to one replica, and back."""

        def make(recorder: Recorder, draw: Random) -> Made:
            workload = self._whole(role)
            scaling = ScaleDown(
                "scale-down",
                self.target.kubernetes,
                recorder,
                workload,
                self.target.ledger,
                timeout_s=self._timeout_s,
            )
            return scaling, self._all(role)

        return self._run(make, self._graceful(recovery=False))

    def node_drain(self) -> Survival:
        """A node is drained."""

        def make(recorder: Recorder, draw: Random) -> Made:
            node = self._node(draw)
            drain = NodeDrain(
                self.target.kubernetes,
                recorder,
                self._workloads(),
                self.target.ledger,
                node,
                timeout_s=self._timeout_s,
            )
            return drain, self._on(node)

        settings = self.settings
        return self._run(make, Budgets(settings.drain_outage_budget_ms, settings.failed_requests_budget))

    def node_loss(self) -> Survival:
        """A node is lost."""

        def make(recorder: Recorder, draw: Random) -> Made:
            node = self._node(draw)
            loss = NodeLoss(
                self.target.kubernetes,
                recorder,
                self._workloads(),
                self._machine_control,
                [node],
                lasts_s=self.settings.node_outage_budget_s + _LONGER_S,
                timeout_s=self._timeout_s,
            )
            return loss, self._on(node)

        return self._run(make, Budgets(self.settings.node_outage_budget_s * 1000))

    def zone_loss(self) -> Survival:
        """Two nodes are lost at once. Raises NotApplicable where no other node would have all that Harbor needs."""

        def make(recorder: Recorder, draw: Random) -> Made:
            nodes = sorted(draw.sample(others, 2)) if len(others := self._nodes()) >= 2 else others
            workloads, deployment = self._workloads(), self.target.deployment
            gone = [
                str(role)
                for role in deployment.workloads
                if not any(replica.node not in nodes for replica in deployment.replicas(role))
            ]
            if len(nodes) < 2 or gone:
                few = len(nodes) < 2
                why = "there are too few" if few else f"all replicas of {', '.join(gone)} are on them"
                raise NotApplicable(f"two nodes ({', '.join(nodes)}) cannot be lost here: {why}")
            loss = NodeLoss(
                self.target.kubernetes,
                recorder,
                workloads,
                self._machine_control,
                nodes,
                lasts_s=self.settings.node_outage_budget_s + _LONGER_S,
                timeout_s=self._timeout_s,
            )
            return loss, [victim for node in nodes for victim in self._on(node)]

        return self._run(make, Budgets(self.settings.node_outage_budget_s * 1000))

    def node_pressure(self) -> Survival:
        """The pods of a node get hardly any CPU."""
        return self._on_node(NodePressure)

    def node_memory_pressure(self) -> Survival:
        """The pods of a node get no more memory, and lose their caches."""
        return self._on_node(NodeMemoryPressure)

    def node_drain_kill(self, role: Role) -> Survival:
        """A node is drained, and a pod of a role dies on another. Raises NotApplicable where there is none."""

        def make(recorder: Recorder, draw: Random) -> Made:
            node, workloads = self._node(draw), self._workloads()
            others = [replica for replica in self.target.replicas(role) if replica.node != node]
            if not others:
                raise NotApplicable(f"there is no pod of {self.target.workload(role).object} beside {node}")
            other = draw.choice(sorted(others, key=lambda replica: replica.name))
            drain = NodeDrainKill(
                self.target.kubernetes,
                recorder,
                workloads,
                self.target.ledger,
                node,
                other.pod_name,
                timeout_s=self._timeout_s,
            )
            return drain, [*self._on(node), other.name]

        return self._run(make, Budgets(self.settings.drain_outage_budget_ms))

    def dns_loss(self) -> Survival:
        """The cluster's DNS is gone for a while; who cannot do without it may be away as long, and a hang longer."""
        outage_ms = (DnsLoss.usual_s + self.settings.hang_outage_budget_s) * 1000
        return self._on_cluster(DnsLoss, Budgets(outage_ms))

    def api_server_loss(self) -> Survival:
        """The API server is gone for a while: Harbor asks it for nothing that clients wait for."""
        settings = self.settings
        return self._on_cluster(
            ApiServerLoss,
            Budgets(settings.outage_budget_ms, settings.failed_requests_budget),
            by_front_door_alone=True,
        )

    def volume_full(self) -> Survival:
        """The volume of images is full for a while: nobody can push, and nothing else may suffer.

        Raises NotApplicable where images are on no volume of Kubernetes.
        """

        def make(recorder: Recorder, draw: Random) -> Made:
            full = VolumeFull(
                self.target.kubernetes,
                recorder,
                self._workloads(),
                self._machine_control,
                self._volume_of_images(),
                timeout_s=self._timeout_s,
            )
            return full, ()

        return self._run(make, Budgets(self.settings.outage_budget_ms, refuses=frozenset({Push.kind})))

    def job_kill(self) -> Survival:
        """Whoever runs jobs dies in the middle of one; requires Feature.JOB_LOGS."""
        settings, target = self.settings, self.target

        def make(recorder: Recorder, draw: Random) -> Made:
            kill = JobKill(
                target.kubernetes,
                recorder,
                self._whole(Role.JOB),
                self._machine_control,
                cast(RunsJobs, target.front_door),
                target.credentials,
                partial(target.replicas, Role.JOB),
                timeout_s=self._timeout_s,
            )
            return kill, ()

        # The job is held up by a database that hangs for a second.
        outage_ms = settings.store_outage_budget_s * 1000
        return self._run(make, Budgets(outage_ms, response_ms=settings.recovery_budget_s * 1000))

    def server_kill(self, what: str) -> Survival:
        """The server in use dies, and another takes over."""
        return self._on_server(partial(ServerKill, "kill"), what)

    def server_restart(self, what: str) -> Survival:
        """The server in use is restarted."""
        return self._on_server(partial(ServerRestart, "restart"), what)

    def servers_restart(self, what: str) -> Survival:
        """All servers of a kind end at once, and come back."""
        return self._on_server(partial(ServersRestart, "restart of every"), what)

    def server_hang(self, what: str) -> Survival:
        """The server in use hangs for longer than clients may go without answers."""
        lasts_s = self.settings.store_outage_budget_s + _LONGER_S
        return self._on_server(partial(ServerHang, lasts_s=lasts_s), what)

    def server_blackhole(self, what: str) -> Survival:
        """Whatever is sent to the server in use vanishes, and comes through again.

        It is replaced, and then back: clients may be away until the one is over, and as long again for the other.
        """
        return self._on_server(
            partial(ServerBlackhole, "blackhole"), what, beside_ms=ServerBlackhole.usual_s * 1000
        )

    def server_isolation(self, what: str) -> Survival:
        """The server in use is cut off from the others of its kind."""
        return self._on_server(partial(ServerIsolation, "isolation"), what)

    def _on_node(self, disruption: type[NodePressure | NodeMemoryPressure]) -> Survival:
        def make(recorder: Recorder, draw: Random) -> Made:
            node, control = self._node(draw), self._machine_control
            kubernetes, workloads = self.target.kubernetes, self._workloads()
            made = disruption(kubernetes, recorder, workloads, control, node, timeout_s=self._timeout_s)
            return made, self._on(node)

        return self._run(make, self._hanging())

    def _run(self, make: Callable[[Recorder, Random], Made], budgets: Budgets) -> Survival:
        """As often as is asked for, each time with what the seed draws; no more once something is not whole again."""
        survivals: list[Survival] = []
        for number in range(self.settings.repeat):
            recorder = self.another_recorder(number) if number else self.recorder
            experiment = self.experiment.on(recorder) if number else self.experiment
            try:
                disruption, victims = make(recorder, Random(f"{self.seed}/{number}"))
                survivals.append(experiment.run(disruption, budgets, victims=tuple(victims)))
            except (HarnessError, Failure):
                if survivals:
                    # What was found the times before stands.
                    together(survivals).require()
                raise
            if isinstance(survivals[-1].error, HealFailed | OutageTooLong):
                break
        survival = together(survivals)
        for flaw in survival.flaws:
            self.harbors_own(flaw)
        return survival

    def _on_container(
        self, kind: str, disruption: Callable[..., ContainerDisruption], role: Role, budgets: Budgets
    ) -> Survival:
        def make(recorder: Recorder, draw: Random) -> Made:
            workload = self._whole(role)
            ordinal = self._connected(workload, draw)
            made = disruption(
                kind,
                self.target.kubernetes,
                recorder,
                workload,
                self._machine_control,
                ordinal=ordinal,
                timeout_s=self._timeout_s,
            )
            return made, [_name(workload, ordinal)]

        return self._run(make, budgets)

    def _on_server(
        self, disruption: Callable[..., Disruption], what: str, *, beside_ms: float = 0
    ) -> Survival:
        """`beside_ms`: for which clients may be away beside the budget of a failover."""

        def make(recorder: Recorder, draw: Random) -> Made:
            return disruption(recorder, self._machine_control, what, timeout_s=self._timeout_s), ()

        settings = self.settings
        outage_ms = beside_ms + settings.store_outage_budget_s * 1000
        return self._run(make, Budgets(outage_ms, response_ms=settings.recovery_budget_s * 1000))

    def _on_cluster(
        self, disruption: Callable[..., Disruption], budgets: Budgets, *, by_front_door_alone: bool = False
    ) -> Survival:
        """`by_front_door_alone`: the ways to single replicas lead through what is gone."""

        def make(recorder: Recorder, draw: Random) -> Made:
            kubernetes, workloads, control = (
                self.target.kubernetes,
                self._workloads(),
                self._machine_control,
            )
            made = disruption(kubernetes, recorder, workloads, control, timeout_s=self._timeout_s)
            spared = [name for role in self.target.deployment.workloads for name in self._all(role)]
            return made, spared if by_front_door_alone else ()

        return self._run(make, budgets)

    def _graceful(self, *, recovery: bool = True) -> Budgets:
        settings = self.settings
        return Budgets(
            settings.outage_budget_ms,
            settings.failed_requests_budget,
            settings.recovery_budget_s * 1000 if recovery else None,
        )

    def _abrupt(self) -> Budgets:
        return Budgets(self.settings.outage_budget_ms, None, self.settings.recovery_budget_s * 1000)

    def _hanging(self) -> Budgets:
        return Budgets(self.settings.hang_outage_budget_s * 1000)

    def _volume_of_images(self) -> str:
        """The PersistentVolume's name."""
        registry = self.target.workload(Role.REGISTRY)
        for volume in self.target.deployment.volumes():
            if volume.volume and registry.name in volume.used_by:
                return str(volume.volume.metadata.name)
        raise NotApplicable(f"{registry.object} uses no PersistentVolumeClaim that is bound")

    def _whole(self, role: Role) -> Workload:
        require_whole(self.target, role)
        return self.target.workload(role)

    def _all(self, role: Role) -> list[str]:
        return [replica.name for replica in self.target.replicas(role)]

    def _ordinal(self, workload: Workload, draw: Random) -> int:
        """The replica to hit, by its number in age order."""
        return draw.randrange(max(1, workload.desired))

    def _connected(self, workload: Workload, draw: Random) -> int:
        """The same, of those that somebody has just been speaking with. Connections are kept, behind a Service, too:
        what happens to a replica that none of them leads to is met by nobody.
        """
        control, replicas = self._machine_control, self.target.replicas(workload.role)
        met = (
            each.ordinal
            for each in draw.sample(replicas, len(replicas))
            if each.node and each.address and control.connections(each.node, each.address, workload.port)
        )
        return next(met, self._ordinal(workload, draw))

    def _workloads(self) -> list[Workload]:
        for role in self.target.deployment.workloads:
            require_whole(self.target, role)
        return list(self.target.deployment.workloads.values())

    def _on(self, node: str) -> list[str]:
        """The replicas on a node."""
        deployment = self.target.deployment
        return [r.name for role in deployment.workloads for r in deployment.replicas(role) if r.node == node]

    def _node(self, draw: Random) -> str:
        """The node to lose: one with replicas of Harbor's, by which one does not come to the front door, and which
        nobody has cordoned: who did so works on it.

        Raises CannotTell when there is none.
        """
        return draw.choice(self._nodes())

    def _nodes(self) -> list[str]:
        """All of those."""
        door = urlsplit(self.target.url).hostname or ""
        deployment = self.target.deployment
        used = {r.node for role in deployment.workloads for r in deployment.replicas(role)}
        others: list[str] = sorted(
            node.metadata.name
            for node in deployment.nodes()
            if node.metadata.name in used
            and not node.spec.unschedulable
            and door not in {address.address for address in node.status.addresses or ()}
        )
        if not others:
            raise CannotTell(
                f"there is no node with pods of Harbor's that nobody has cordoned, but the one that {door} leads to"
            )
        return others

    @property
    def _timeout_s(self) -> float:
        return self.settings.converge_timeout_s

    @property
    def _machine_control(self) -> MachineControl:
        """That of the lab: checks need `machine-control`. Raises CannotTell where there is none."""
        if self.target.access.machine_control is None:
            raise CannotTell("nobody here has control of the machines that Harbor runs on")
        return self.target.access.machine_control


def _name(workload: Workload, ordinal: int) -> str:
    return f"{workload.short_name}-{ordinal}"
