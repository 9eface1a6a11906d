"""Everything that can be broken, each among clients at work: what it is done to, and what clients may notice of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.container_kill import ContainerKill
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.network_loss import NetworkLoss
from harbor_verify.disruptions.network_slowness import NetworkSlowness
from harbor_verify.disruptions.node_drain import NodeDrain
from harbor_verify.disruptions.node_loss import NodeLoss
from harbor_verify.disruptions.pause import Pause
from harbor_verify.disruptions.rolling_restart import RollingRestart
from harbor_verify.disruptions.scale_down import ScaleDown
from harbor_verify.disruptions.server_blackhole import ServerBlackhole
from harbor_verify.disruptions.server_hang import ServerHang
from harbor_verify.disruptions.server_isolation import ServerIsolation
from harbor_verify.disruptions.server_kill import ServerKill
from harbor_verify.disruptions.server_restart import ServerRestart
from harbor_verify.errors import CannotTell
from harbor_verify.failover import Budgets, Experiment, Survival, pod_kill, require_whole
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_AT_ONCE_S = 1
"""The grace of an abrupt kill: with none the API forgets the pod at once, and the kubelet gives it all it asks for."""


@dataclass(frozen=True)
class Experiments:
    """One method a disruption. All raise Failure when Harbor is not whole before, and what `Experiment.run` raises."""

    target: Target
    recorder: Recorder
    settings: Settings
    experiment: Experiment

    def pod_kill(self, role: Role) -> Survival:
        """The oldest pod of a role is deleted, with the grace that it asks for."""
        workload = self._whole(role)
        kill = pod_kill(self.target, workload, self.recorder, self.settings)
        return self._run(kill, self._graceful(), [self._first(workload)])

    def abrupt_pod_kill(self, role: Role) -> Survival:
        """The same without grace."""
        workload = self._whole(role)
        kill = pod_kill(self.target, workload, self.recorder, self.settings, grace_period_s=_AT_ONCE_S)
        return self._run(kill, self._abrupt(), [self._first(workload)])

    def container_kill(self, role: Role) -> Survival:
        """SIGKILL to the program of the oldest replica."""
        workload = self._whole(role)
        kill = ContainerKill(
            "container-kill",
            self.target.kubernetes,
            self.recorder,
            workload,
            self._machine_control,
            timeout_s=self._timeout_s,
        )
        recovery_ms = self.settings.recovery_budget_s * 1000
        budgets = Budgets(
            self.settings.crash_outage_budget_ms, recovery_ms=recovery_ms, response_ms=recovery_ms
        )
        return self._run(kill, budgets, [self._first(workload)])

    def pause(self, role: Role) -> Survival:
        """SIGSTOP to the program of the oldest replica."""
        workload = self._whole(role)
        pause = Pause(
            "pause",
            self._kubernetes,
            self.recorder,
            workload,
            self._machine_control,
            timeout_s=self._timeout_s,
        )
        return self._run(pause, self._hanging(), [self._first(workload)])

    def network_loss(self, role: Role) -> Survival:
        """Packets to and from the oldest replica get lost."""
        workload = self._whole(role)
        loss = NetworkLoss(
            "network-loss",
            self.target.kubernetes,
            self.recorder,
            workload,
            self._machine_control,
            timeout_s=self._timeout_s,
        )
        return self._run(loss, self._hanging(), [self._first(workload)])

    def network_slowness(self, role: Role) -> Survival:
        """The way to and from the oldest replica becomes slow."""
        workload = self._whole(role)
        slowness = NetworkSlowness(
            "network-slowness",
            self.target.kubernetes,
            self.recorder,
            workload,
            self._machine_control,
            timeout_s=self._timeout_s,
        )
        return self._run(slowness, self._hanging(), [self._first(workload)])

    def rolling_restart(self, role: Role) -> Survival:
        """All pods of a role are replaced, one after the other."""
        workload = self._whole(role)
        restart = RollingRestart(
            "rolling-restart", self._kubernetes, self.recorder, workload, timeout_s=self._timeout_s
        )
        return self._run(restart, self._graceful(recovery=False), self._all(role))

    def scale_down(self, role: Role) -> Survival:
        """A role is scaled down to one replica, and back."""
        workload = self._whole(role)
        scaling = ScaleDown(
            "scale-down", self._kubernetes, self.recorder, workload, timeout_s=self._timeout_s
        )
        return self._run(scaling, self._graceful(recovery=False), self._all(role))

    def node_drain(self) -> Survival:
        """A node is drained."""
        node = self._node()
        drain = NodeDrain(
            "node-drain",
            self.target.kubernetes,
            self.recorder,
            self._workloads(),
            node,
            timeout_s=self._timeout_s,
        )
        settings = self.settings
        budgets = Budgets(settings.drain_outage_budget_ms, settings.failed_requests_budget)
        return self._run(drain, budgets, self._on(node))

    def node_loss(self) -> Survival:
        """A node is lost."""
        node = self._node()
        loss = NodeLoss(
            self.target.kubernetes,
            self.recorder,
            self._workloads(),
            self._machine_control,
            node,
            timeout_s=self._timeout_s,
        )
        budgets = Budgets(self.settings.node_outage_budget_s * 1000)
        return self._run(loss, budgets, self._on(node))

    def server_kill(self, what: str) -> Survival:
        """The server in use dies, and another takes over."""
        return self._on_server(
            ServerKill("kill", self.recorder, self._machine_control, what, timeout_s=self._timeout_s)
        )

    def server_restart(self, what: str) -> Survival:
        """The server in use is restarted."""
        return self._on_server(
            ServerRestart("restart", self.recorder, self._machine_control, what, timeout_s=self._timeout_s)
        )

    def server_hang(self, what: str) -> Survival:
        """The server in use hangs for a while."""
        return self._on_server(
            ServerHang(self.recorder, self._machine_control, what, timeout_s=self._timeout_s)
        )

    def server_blackhole(self, what: str) -> Survival:
        """Whatever is sent to the server in use vanishes."""
        return self._on_server(
            ServerBlackhole(
                "blackhole", self.recorder, self._machine_control, what, timeout_s=self._timeout_s
            )
        )

    def server_isolation(self, what: str) -> Survival:
        """The server in use is cut off from the others of its kind."""
        return self._on_server(
            ServerIsolation(
                "isolation", self.recorder, self._machine_control, what, timeout_s=self._timeout_s
            )
        )

    def _run(self, disruption: Disruption, budgets: Budgets, victims: Iterable[str]) -> Survival:
        return self.experiment.run(disruption, budgets, victims=tuple(victims))

    def _on_server(self, disruption: Disruption) -> Survival:
        settings = self.settings
        budgets = Budgets(
            settings.store_outage_budget_s * 1000, response_ms=settings.recovery_budget_s * 1000
        )
        return self._run(disruption, budgets, ())

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

    def _whole(self, role: Role) -> Workload:
        require_whole(self.target, role)
        return self.target.workload(role)

    def _all(self, role: Role) -> list[str]:
        return [replica.name for replica in self.target.replicas(role)]

    def _first(self, workload: Workload) -> str:
        return f"{workload.short_name}-0"

    def _workloads(self) -> list[Workload]:
        for role in self.target.deployment.workloads:
            require_whole(self.target, role)
        return list(self.target.deployment.workloads.values())

    def _on(self, node: str) -> list[str]:
        """The replicas on a node."""
        deployment = self.target.deployment
        return [r.name for role in deployment.workloads for r in deployment.replicas(role) if r.node == node]

    def _node(self) -> str:
        """The node to lose: one with replicas of Harbor's, by which one does not come to the front door.

        Raises CannotTell when there is none.
        """
        door = urlsplit(self.target.url).hostname or ""
        deployment = self.target.deployment
        used = {r.node for role in deployment.workloads for r in deployment.replicas(role)}
        others = sorted(
            node.metadata.name
            for node in deployment.nodes()
            if node.metadata.name in used
            and door not in {address.address for address in node.status.addresses or ()}
        )
        if not others:
            raise CannotTell(f"there is no node with pods of Harbor's but the one that {door} leads to")
        last: str = others[-1]
        return last

    @property
    def _kubernetes(self) -> Kubernetes:
        return self.target.kubernetes

    @property
    def _timeout_s(self) -> float:
        return self.settings.converge_timeout_s

    @property
    def _machine_control(self) -> MachineControl:
        """That of the lab: checks need `machine-control`. Raises CannotTell where there is none."""
        if self.target.access.machine_control is None:
            raise CannotTell("nobody here has control of the machines that Harbor runs on")
        return self.target.access.machine_control
