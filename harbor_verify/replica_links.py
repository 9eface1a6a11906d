"""Links to single replicas: straight to a pod from inside the cluster, by port-forward from outside."""

from threading import Lock

from harbor_verify.authorities import trust_of
from harbor_verify.clients.http import HttpClient, PasswordRule
from harbor_verify.clients.relay import Connection
from harbor_verify.clients.replica_link import Trust, open_connection, open_link, served_certificate
from harbor_verify.errors import NoAnswer, TargetUnreachable
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.providers import Access
from harbor_verify.settings import Settings

_MOST_TRIED = 2
"""So many replicas of a part are tried for a way to it."""
_OF_A_MESH = "RBAC: access denied"
"""What the proxy beside a pod says in its place."""


class ReplicaLinks:
    """To the replicas of one Harbor, one by one."""

    def __init__(
        self, access: Access, deployment: Deployment, settings: Settings, url: str, rule: PasswordRule
    ) -> None:
        """`url` is the front door's, `rule` says where the administrator's password may go."""
        self._kubernetes, self._namespace = access.kubernetes, access.namespace
        self._deployment, self._settings = deployment, settings
        self._url, self._rule = url, rule
        self._kept: dict[tuple[str, int], HttpClient] = {}
        self._keeping = Lock()
        self._by_forward: dict[Role, bool] = {}
        self._trusts: dict[Role, Trust | None] = {}

    def kept(self, replica: Replica) -> HttpClient:
        """One replica always gets the same one; it stays open until `close`."""
        key = (replica.uid, replica.workload.port)
        with self._keeping:
            if key not in self._kept:
                self._kept[key] = self.new(replica)
            return self._kept[key]

    def new(self, replica: Replica, *, name: str | None = None) -> HttpClient:
        """A session of its own to this replica, by its own or another name; its caller closes it.

        To a replica that clients reach by way of the front door it names the front door as its host, as a proxy passes
        it on: Harbor from 2.14 on makes the realm of a challenge from the Host that it is asked by.
        """
        link = self._open(replica, name or replica.name, forward=self.is_forwarded(replica.workload.role))
        link.uid, link.rule = replica.uid, self._rule
        if replica.workload.role in {
            Role.FRONT_DOOR,
            Role.WEB,
            Role.PAGE,
            self._deployment.profile.registry_api,
        }:
            link.come_from(self._url)
        return link

    def connect(self, replica: Replica) -> Connection:
        """A connection to this replica's port, TLS taken off where it speaks that; its caller closes it.

        Raises PodGone, TargetUnreachable, OSError.
        """
        return open_connection(
            self._kubernetes,
            namespace=self._namespace,
            pod=replica.pod_name,
            address=replica.address,
            port=replica.workload.port,
            tls=replica.workload.tls,
            timeouts_s=self._settings.timeouts_s,
            forward=self.is_forwarded(replica.workload.role),
            trust=self._trust(replica),
        )

    def is_forwarded(self, role: Role) -> bool:
        """Whether replicas of a role are reached by port-forward, though this process runs in the cluster.

        So it is where none of them takes what comes from this pod itself, as in a mesh or by a NetworkPolicy, and one
        answers by port-forward. Found out once. Raises TargetUnreachable.
        """
        if not self._kubernetes.inside:
            return False
        if role not in self._by_forward:
            replicas = [replica for replica in self._deployment.replicas(role) if replica.ready][:_MOST_TRIED]
            direct = any(self._answers(replica, forward=False) for replica in replicas)
            may = not direct and self._kubernetes.may_forward(self._namespace)
            forwarded = may and any(self._answers(replica, forward=True) for replica in replicas)
            if may and not forwarded:
                return False  # Nobody is there now; somebody may be later.
            self._by_forward[role] = forwarded
        return self._by_forward[role]

    def served_certificate(self, replica: Replica) -> bytes:
        """The certificate (DER) that this replica shows to whoever connects, whatever its files say now.

        Raises NoAnswer where nobody speaks TLS there, TargetUnreachable.
        """
        try:
            connection = self.connect(replica)
        except OSError as silent:
            raise NoAnswer(f"TLS to {replica.name}: {silent}", sent=False) from silent
        try:
            return served_certificate(connection)
        finally:
            connection.close()

    def close(self) -> None:
        for link in self._kept.values():
            link.close()

    def _answers(self, replica: Replica, *, forward: bool) -> bool:
        """Whether anything is answered there in the language that is spoken there."""
        link = self._open(replica, replica.name, forward=forward)
        try:
            return link.get("/").text.strip() != _OF_A_MESH
        except (NoAnswer, TargetUnreachable):
            return False
        finally:
            link.close()

    def _open(self, replica: Replica, name: str, *, forward: bool) -> HttpClient:
        return open_link(
            self._kubernetes,
            name=name,
            namespace=self._namespace,
            pod=replica.pod_name,
            address=replica.address,
            port=replica.workload.port,
            tls=replica.workload.tls,
            timeouts_s=self._settings.timeouts_s,
            forward=forward,
            trust=self._trust(replica),
            verify=self._settings.verify,
        )

    def _trust(self, replica: Replica) -> Trust | None:
        """From inside the cluster: by what a replica with TLS is known."""
        role = replica.workload.role
        if not (replica.workload.tls and self._kubernetes.inside):
            return None
        if role not in self._trusts:
            self._trusts[role] = trust_of(self._deployment, replica, self._namespace)
        return self._trusts[role]
