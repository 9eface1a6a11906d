"""Harbor's database and session store, as they are reached from here with Harbor's own credentials."""

from collections.abc import Callable
from pathlib import Path

from harbor_verify.authorities import Authorities
from harbor_verify.clients.databases import open_sql
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.relay import Relay
from harbor_verify.clients.replica_link import open_connection
from harbor_verify.clients.sql import Sql
from harbor_verify.errors import CannotTell, NeedMissing, StoreRefused
from harbor_verify.model.addresses import joined, split
from harbor_verify.model.backing import backing_of
from harbor_verify.model.discovery import Backend, Deployment
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.model.workloads import Replica
from harbor_verify.providers import Access
from harbor_verify.settings import Settings


class StoreLinks:
    """To the stores of one Harbor: by their addresses, or, where they are in pods and we are not, by port-forward."""

    def __init__(
        self,
        access: Access,
        deployment: Deployment,
        settings: Settings,
        replicas: Callable[[Role], list[Replica]],
    ) -> None:
        """`replicas`: of a role, now; it raises Failure when there is none."""
        self._kubernetes, self._namespace = access.kubernetes, access.namespace
        self._deployment, self._settings, self._replicas = deployment, settings, replicas
        self._relays: dict[tuple[str, int], Relay] = {}
        self._trusted = Authorities()

    def database(self) -> Database:
        """Where Harbor is told that its database is. Raises WrongConfiguration, TargetUnreachable, Failure."""
        replica = self._replicas(self._deployment.profile.database_role)[0]
        return self._deployment.profile.database(self._deployment.environment(replica))

    def session_store(self) -> SessionStore | None:
        """Where web replicas are told to keep sessions. Raises WrongConfiguration, TargetUnreachable, Failure."""
        replica = self._replicas(Role.WEB)[0]
        return self._deployment.profile.session_store(self._deployment.environment(replica))

    def database_address(self) -> str:
        """HOST:PORT that leads to the database from here."""
        return self._settings.database_address or self._from_here(self.database().address)

    def session_store_addresses(self) -> list[str]:
        """Every HOST:PORT that leads to the session store, or to a Sentinel of it, from here."""
        store = self.session_store()
        if self._settings.session_store_address:
            return [self._settings.session_store_address]
        return [self._from_here(each) for each in store.sentinels or (store.address,)] if store else []

    def sql(self) -> Sql:
        """The database with Harbor's own credentials; its caller closes it.

        Raises StoreRefused, and CannotTell where it is the way there, by port-forward, that did not come about.
        """
        settings, database = self._settings, self.database()
        verified = database.tls.startswith("verify")
        address = self.database_address()
        try:
            return open_sql(
                database,
                address,
                timeouts_s=settings.timeouts_s,
                ca_file=settings.database_ca_file
                or self._authorities(self._deployment.profile.database_role, verified),
            )
        except StoreRefused as refused:
            if failure := self._way_failed():
                raise CannotTell(
                    f"the database cannot be reached by port-forward to its pod: {failure}"
                ) from refused
            raise

    def redis(self, store: SessionStore) -> RedisStore:
        """The session store with Harbor's own password; its caller closes it."""
        direct = self._settings.session_store_address
        address = direct or self._from_here(store.address)
        sentinels = () if direct else tuple(map(self._from_here, store.sentinels))
        relayed = {relay.address for relay in self._relays.values()}
        return RedisStore(
            store,
            address,
            sentinels=sentinels,
            timeouts_s=self._settings.timeouts_s,
            ca_file=self._settings.session_store_ca_file or self._authorities(Role.WEB, store.tls),
            vouched=address in relayed and not sentinels,
            way_to=self._way_to_primary,
            way_failed=self._way_failed,
        )

    def close(self) -> None:
        for relay in self._relays.values():
            relay.close()
        self._trusted.close()

    def _from_here(self, address: str) -> str:
        """Of a Service's name in a pod's settings, a way to the first endpoint: from outside names do not resolve.

        To a pod it is a port-forward: its address may be somebody else's where we are.
        """
        if self._kubernetes.inside:
            return address
        host, port = split(address)
        backends = self._deployment.backends(host, int(port))
        if not backends:
            return address
        first = backends[0]
        return self._relay_to(first) if first.pod else joined(first.address, first.port)

    def _way_failed(self) -> str | None:
        """Why the way to a store in a pod did not come about, the last time that any was tried; None: it did."""
        return next((relay.failure for relay in self._relays.values() if relay.failure), None)

    def _way_to_primary(self, host: str, port: int) -> tuple[str, int]:
        """Where the Redis is reached that a Sentinel names: a pod, whose address may be somebody else's from here."""
        if self._kubernetes.inside:
            return host, port
        try:
            backing = backing_of(self._kubernetes, self._namespace, host)
        except (CannotTell, NeedMissing):
            return host, port
        if not backing.pod or backing.owners[0].namespace != self._namespace:
            return host, port
        here, there = split(self._relay_to(Backend(host, port, backing.pod, backing.pod)))
        return here, int(there)

    def _authorities(self, role: Role, verified: bool) -> Path | None:
        """Whom the role's replicas trust, where a certificate is to be `verified`; None: the system's authorities."""
        return self._trusted.of(self._deployment, self._replicas(role)[0]) if verified else None

    def _relay_to(self, backend: Backend) -> str:
        """HOST:PORT on this machine's loopback that leads to a pod."""
        key = (backend.uid, backend.port)
        if key not in self._relays:
            self._relays[key] = Relay(
                lambda: open_connection(
                    self._kubernetes,
                    namespace=self._namespace,
                    pod=backend.pod,
                    address=backend.address,
                    port=backend.port,
                    tls=False,
                    timeouts_s=self._settings.timeouts_s,
                )
            )
        return self._relays[key].address
