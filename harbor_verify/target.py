"""The Harbor that is being verified, as checks see it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from harbor_verify.authorities import Authorities, trust_of
from harbor_verify.clients import token_service
from harbor_verify.clients.databases import open_sql
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.clients.http import ByAddress, HttpClient, PasswordRule
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.clients.pod_channel import PodGone, run_in_pod
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.registry import Authorise, BackendRegistry, Registry, by_password, by_token
from harbor_verify.clients.relay import Connection, Relay
from harbor_verify.clients.replica_link import Trust, open_connection, open_link, served_certificate
from harbor_verify.clients.sql import Sql
from harbor_verify.clients.token_service import KeptTokens, Token
from harbor_verify.errors import (
    CannotTell,
    NeedMissing,
    NoAnswer,
    StoreRefused,
    TargetUnreachable,
    WrongConfiguration,
)
from harbor_verify.ledger import Ledger
from harbor_verify.logins import Accounts, Logins
from harbor_verify.model.addresses import joined, split
from harbor_verify.model.backing import Backing, backing_of
from harbor_verify.model.discovery import Backend, Deployment, discover
from harbor_verify.model.roles import Profile, Role
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.own_url import own_url
from harbor_verify.providers import Access, require_links
from harbor_verify.settings import Settings
from harbor_verify.verdict import Failure, Offender

_MOST_TRIED = 2
"""So many replicas of a part are tried for a way to it."""
_OF_A_MESH = "RBAC: access denied"
"""What the proxy beside a pod says in its place."""


class Target:
    """One Harbor: its workloads, and clients that reach its replicas one by one.

    Clients that it hands out stay open until `close`; one replica always gets the same one.
    """

    ledger: Ledger
    """Where what is made or broken is written down first; whoever has the Lease sets it."""
    belongings: Accounts
    """What the run has in Harbor for itself; set with the ledger."""

    def __init__(self, access: Access, deployment: Deployment, settings: Settings) -> None:
        self.access, self.deployment, self.settings = access, deployment, settings
        self._links: dict[tuple[str, int], HttpClient] = {}
        self._linking = Lock()
        self._backends: list[BackendRegistry] = []
        self._relays: dict[tuple[str, int], Relay] = {}
        self._by_forward: dict[Role, bool] = {}
        self._trusted = Authorities()
        self._trusts: dict[Role, Trust | None] = {}

    @property
    def kubernetes(self) -> Kubernetes:
        return self.access.kubernetes

    @property
    def namespace(self) -> str:
        return self.access.namespace

    @property
    def profile(self) -> Profile:
        return self.deployment.profile

    @property
    def credentials(self) -> Credentials:
        """The administrator's; for the front door and nobody else."""
        return self.access.credentials

    @property
    def user(self) -> Credentials:
        """Who the suite is to single replicas, and administers the run's projects (`Belongings.user`)."""
        return self.belongings.user

    @property
    def client(self) -> Credentials:
        """Who docker, other clients and kubelets are (`Belongings.client`). Raises Failure, NeedMissing."""
        return self.belongings.client

    @cached_property
    def _rule(self) -> PasswordRule:
        return PasswordRule(self.credentials.password, self.url)

    @cached_property
    def _logins(self) -> Logins:
        return Logins(self.credentials, self.new_front_door, self._rule)

    def ask_replicas_as_administrator(self) -> None:
        """Where Harbor makes no user for the suite."""
        self._rule.also_to_its_own = True

    def administrator(self, replica: Replica) -> Session:
        """A session of the administrator that this web replica knows (`Logins.administrator_at`)."""
        return self._logins.administrator_at(self.web(replica), len(self.replicas(Role.WEB)))

    @property
    def url(self) -> str:
        """The front door's, without a slash at its end."""
        return self.access.url or ""

    @property
    def registry_host(self) -> str:
        """HOST[:PORT] as image references carry it."""
        return urlsplit(self.url).netloc

    def workload(self, role: Role) -> Workload:
        return self.deployment.workload(role)

    def replicas(self, role: Role) -> list[Replica]:
        """The role's replicas now. Raises Failure when there is none: nothing then does what the role is for."""
        replicas = self.deployment.replicas(role)
        if not replicas:
            workload = self.workload(role)
            raise Failure([Offender(workload.object, f"{max(workload.desired, 1)} replicas", "no pod")])
        return replicas

    def registry_api_replicas(self) -> list[Replica]:
        """Those that docker clients speak to behind the front door, and that know Harbor's users. Raises Failure."""
        return self.replicas(self.profile.registry_api)

    def web(self, replica: Replica) -> Harbor:
        """Harbor's API at this web replica and no other."""
        return self.profile.api(self._link(replica))

    def registry(self, replica: Replica, credentials: Credentials | None = None) -> Registry:
        """The registry API at this replica and no other: one of the registry, or one that docker clients speak to.

        A registry replica that knows none of Harbor's users is opened as Harbor itself does, and what was pushed to it
        is handed over to Harbor at the end (`adopt`). Elsewhere one is the run's user or `credentials`, with tokens of
        a web replica that this replica trusts, where there is one: what is shown is then about this replica, not about
        who signed a token. The administrator's tokens come from the front door. Raises WrongConfiguration.
        """
        return self.registry_by(self._link(replica), replica, credentials)

    def registry_by(
        self, link: HttpClient, replica: Replica, credentials: Credentials | None = None
    ) -> Registry:
        """The same by a link of one's own to this replica."""
        if replica.workload.role is not self.profile.registry_api:
            backend = BackendRegistry(link, by_password(self._registry_login()))
            self._backends.append(backend)
            return backend
        return Registry(link, self.pinned_tokens(link, credentials or self.user))

    def anonymous_registry(self, replica: Replica) -> Registry:
        """The registry API at this replica and no other, as nobody, with tokens for nobody."""
        link = self._link(replica)
        return Registry(link, self.pinned_tokens(link, None))

    def adopt(self) -> None:
        """Push once more, as a user, what was pushed to registry replicas behind Harbor's back: only what Harbor knows
        of does it delete, and collect as garbage.
        """
        there = self.deployment.replicas(Role.REGISTRY) if self._backends else []
        sources = [replica for replica in there if replica.ready]
        if sources:
            backends, self._backends = self._backends, []
            source, front = self.registry(sources[0]), self.front_registry(self.credentials)
            for backend in backends:
                backend.hand_over(source, front)
            self._backends.clear()  # the source itself

    def front_registry(self, credentials: Credentials | None, link: HttpClient | None = None) -> Registry:
        """The registry as docker clients reach it; None: anonymous.

        Tokens come from there, too: like a docker client, this one asks once for each scope and keeps it.
        """
        link = link or self.front_door.http
        return Registry(link, by_token(KeptTokens(partial(token_service.fetch, link, credentials))))

    def front_registry_for_all(self, link: HttpClient, user: Credentials | None = None) -> Registry:
        """The registry as clients reach it, by what every replica takes: not about who signs tokens.

        By password where web replicas serve docker clients, else by tokens. None: the run's user.
        """
        user = user or self.user
        if self.profile.registry_api is Role.WEB:
            return Registry(link, by_password(user))
        first = self._link(self.registry_api_replicas()[0])
        return Registry(link, self.pinned_tokens(first, user))

    def pinned_tokens(self, registry: HttpClient, credentials: Credentials | None) -> Authorise:
        """Tokens, kept, of the first web replica whose tokens `registry` accepts; None: nobody's.

        The administrator's are asked for at the front door, until one is accepted or each replica was met.
        """
        return by_token(KeptTokens(partial(self._trusted_token, Registry(registry), credentials)))

    def configurations(self, replica: Replica) -> Mapping[str, Any]:
        """What this replica of the configuration store answers; secrets among it.

        Raises AnswerError, WrongConfiguration.
        """
        environment = self.deployment.environment(replica)
        stores = self.profile.configuration_store
        if stores is None:
            raise WrongConfiguration(f"{self.profile.name} has no configuration store")
        return stores.configurations(self._link(replica), environment)

    def database(self) -> Database:
        """Where Harbor is told that its database is. Raises WrongConfiguration, TargetUnreachable, Failure."""
        replica = self.replicas(self.profile.database_role)[0]
        return self.profile.database(self.deployment.environment(replica))

    def session_store(self) -> SessionStore | None:
        """Where web replicas are told to keep sessions. Raises WrongConfiguration, TargetUnreachable, Failure."""
        replica = self.replicas(Role.WEB)[0]
        return self.profile.session_store(self.deployment.environment(replica))

    def database_address(self) -> str:
        """HOST:PORT that leads to the database from here."""
        return self.settings.database_address or self._from_here(self.database().address)

    def session_store_addresses(self) -> list[str]:
        """Every HOST:PORT that leads to the session store, or to a Sentinel of it, from here."""
        store = self.session_store()
        if self.settings.session_store_address:
            return [self.settings.session_store_address]
        return [self._from_here(each) for each in store.sentinels or (store.address,)] if store else []

    def services_for_clients(self) -> set[str]:
        """The names of the Services that clients are led to where Harbor has no proxy of its own."""
        return {
            service.metadata.name
            for role in (Role.WEB, Role.PAGE)
            if role in self.deployment.workloads
            for service in self.deployment.services_of(self.deployment.workload(role))
        }

    def backing(self, host: str, *, everywhere: bool = False) -> Backing:
        """What a host stands on, see `backing_of`. Raises NeedMissing, CannotTell, TargetUnreachable."""
        return backing_of(self.kubernetes, self.namespace, host, everywhere=everywhere)

    def sql(self) -> Sql:
        """The database with Harbor's own credentials; its caller closes it.

        Raises StoreRefused, and CannotTell where it is the way there, by port-forward, that did not come about.
        """
        settings, database = self.settings, self.database()
        verified = database.tls.startswith("verify")
        address = self.database_address()
        try:
            return open_sql(
                database,
                address,
                timeouts_s=settings.timeouts_s,
                ca_file=settings.database_ca_file or self._authorities(self.profile.database_role, verified),
            )
        except StoreRefused as refused:
            if failure := self._way_failed():
                raise CannotTell(
                    f"the database cannot be reached by port-forward to its pod: {failure}"
                ) from refused
            raise

    def redis(self, store: SessionStore) -> RedisStore:
        """The session store with Harbor's own password; its caller closes it."""
        direct = self.settings.session_store_address
        address = direct or self._from_here(store.address)
        sentinels = () if direct else tuple(map(self._from_here, store.sentinels))
        relayed = {relay.address for relay in self._relays.values()}
        return RedisStore(
            store,
            address,
            sentinels=sentinels,
            timeouts_s=self.settings.timeouts_s,
            ca_file=self.settings.session_store_ca_file or self._authorities(Role.WEB, store.tls),
            vouched=address in relayed and not sentinels,
            way_to=self._way_to_primary,
            way_failed=self._way_failed,
        )

    def run(self, replica: Replica, argv: list[str], *, container: str | None = None) -> str:
        """What a command in the replica's container (or another of its pod) prints; raises as `run_in_pod` does."""
        name = container or replica.container.name
        return run_in_pod(self.kubernetes, self.namespace, replica.pod_name, name, argv)

    @cached_property
    def front_door(self) -> Harbor:
        """Harbor's API as its users reach it: any replica may answer."""
        return self.new_front_door()

    def new_front_door(self) -> Harbor:
        """By a connection of its own; its caller closes it."""
        return self.profile.api(self.new_front_door_link())

    def new_front_door_link(self, name: str = "front-door") -> HttpClient:
        """A session of its own to the front door; its caller closes it."""
        return HttpClient(
            name, self.url, timeouts_s=self.settings.timeouts_s, verify=self.settings.verify, rule=self._rule
        )

    def new_link(self, replica: Replica, *, name: str | None = None) -> HttpClient:
        """A session of its own to this replica, by its own or another name; its caller closes it.

        To a replica that clients reach by way of the front door it names the front door as its host, as a proxy passes
        it on: Harbor from 2.14 on makes the realm of a challenge from the Host that it is asked by.
        """
        link = self._open(replica, name or replica.name, forward=self.is_forwarded(replica.workload.role))
        link.uid, link.rule = replica.uid, self._rule
        if replica.workload.role in {Role.FRONT_DOOR, Role.WEB, Role.PAGE, self.profile.registry_api}:
            link.come_from(self.url)
        return link

    def connect(self, replica: Replica) -> Connection:
        """A connection to this replica's port, TLS taken off where it speaks that; its caller closes it.

        Raises PodGone, TargetUnreachable, OSError.
        """
        return open_connection(
            self.kubernetes,
            namespace=self.namespace,
            pod=replica.pod_name,
            address=replica.address,
            port=replica.workload.port,
            tls=replica.workload.tls,
            timeouts_s=self.settings.timeouts_s,
            forward=self.is_forwarded(replica.workload.role),
            trust=self._trust(replica),
        )

    def is_forwarded(self, role: Role) -> bool:
        """Whether replicas of a role are reached by port-forward, though this process runs in the cluster.

        So it is where none of them takes what comes from this pod itself, as in a mesh or by a NetworkPolicy, and one
        answers by port-forward. Found out once. Raises TargetUnreachable.
        """
        if not self.kubernetes.inside:
            return False
        if role not in self._by_forward:
            replicas = [replica for replica in self.deployment.replicas(role) if replica.ready][:_MOST_TRIED]
            direct = any(self._answers(replica, forward=False) for replica in replicas)
            may = not direct and self.kubernetes.may_forward(self.namespace)
            forwarded = may and any(self._answers(replica, forward=True) for replica in replicas)
            if may and not forwarded:
                return False  # Nobody is there now; somebody may be later.
            self._by_forward[role] = forwarded
        return self._by_forward[role]

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
            self.kubernetes,
            name=name,
            namespace=self.namespace,
            pod=replica.pod_name,
            address=replica.address,
            port=replica.workload.port,
            tls=replica.workload.tls,
            timeouts_s=self.settings.timeouts_s,
            forward=forward,
            trust=self._trust(replica),
            verify=self.settings.verify,
        )

    def _trust(self, replica: Replica) -> Trust | None:
        """From inside the cluster: by what a replica with TLS is known."""
        role = replica.workload.role
        if not (replica.workload.tls and self.kubernetes.inside):
            return None
        if role not in self._trusts:
            self._trusts[role] = trust_of(self.deployment, replica, self.namespace)
        return self._trusts[role]

    def served_certificate(self, replica: Replica) -> bytes:
        """The certificate (DER) that this replica shows to whoever connects, whatever its files say now.

        Raises NoAnswer where nobody speaks TLS there, TargetUnreachable.
        """
        try:
            connection = self.connect(replica)
        except (OSError, PodGone) as silent:
            raise NoAnswer(f"TLS to {replica.name}: {silent}", sent=False) from silent
        try:
            return served_certificate(connection)
        finally:
            connection.close()

    def new_node_link(self, node: str, address: str, port: int, *, scheme: str) -> HttpClient:
        """A session to the front door by way of one node's address; its caller closes it."""
        link = HttpClient(
            node,
            f"{scheme}://{joined(address, port)}",
            timeouts_s=self.settings.timeouts_s,
            verify=self.settings.verify,
            adapter=ByAddress(urlsplit(self.url).hostname or "") if scheme == "https" else None,
            rule=self._rule,
        )
        link.come_from(self.url)
        return link

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        for relay in self._relays.values():
            relay.close()
        self._trusted.close()
        if "front_door" in vars(self):
            self.front_door.close()
        self.kubernetes.close()

    def _trusted_token(self, registry: Registry, credentials: Credentials | None, scope: str) -> Token:
        webs = [self.web(replica) for replica in self.replicas(Role.WEB)]
        return self._logins.trusted_token(registry, webs, credentials, scope)

    def _registry_login(self) -> Credentials:
        """With what Harbor itself opens the registry. Raises WrongConfiguration."""
        login = self.profile.registry_login(self.deployment.environment(self.replicas(Role.WEB)[0]))
        if login is None:
            raise WrongConfiguration("its web replicas have no login for the registry")
        return login

    def _from_here(self, address: str) -> str:
        """Of a Service's name in a pod's settings, a way to the first endpoint: from outside names do not resolve.

        To a pod it is a port-forward: its address may be somebody else's where we are.
        """
        if self.kubernetes.inside:
            return address
        host, port = split(address)
        backends = self.deployment.backends(host, int(port))
        if not backends:
            return address
        first = backends[0]
        return self._relay_to(first) if first.pod else joined(first.address, first.port)

    def _way_failed(self) -> str | None:
        """Why the way to a store in a pod did not come about, the last time that any was tried; None: it did."""
        return next((relay.failure for relay in self._relays.values() if relay.failure), None)

    def _way_to_primary(self, host: str, port: int) -> tuple[str, int]:
        """Where the Redis is reached that a Sentinel names: a pod, whose address may be somebody else's from here."""
        if self.kubernetes.inside:
            return host, port
        try:
            backing = self.backing(host)
        except (CannotTell, NeedMissing):
            return host, port
        if not backing.pod or backing.owners[0].namespace != self.namespace:
            return host, port
        here, there = split(self._relay_to(Backend(host, port, backing.pod, backing.pod)))
        return here, int(there)

    def _authorities(self, role: Role, verified: bool) -> Path | None:
        """Whom the role's replicas trust, where a certificate is to be `verified`; None: the system's authorities."""
        return self._trusted.of(self.deployment, self.replicas(role)[0]) if verified else None

    def _relay_to(self, backend: Backend) -> str:
        """HOST:PORT on this machine's loopback that leads to a pod."""
        key = (backend.uid, backend.port)
        if key not in self._relays:
            self._relays[key] = Relay(
                lambda: open_connection(
                    self.kubernetes,
                    namespace=self.namespace,
                    pod=backend.pod,
                    address=backend.address,
                    port=backend.port,
                    tls=False,
                    timeouts_s=self.settings.timeouts_s,
                )
            )
        return self._relays[key].address

    def _link(self, replica: Replica) -> HttpClient:
        key = (replica.uid, replica.workload.port)
        with self._linking:
            if key not in self._links:
                self._links[key] = self.new_link(replica)
            return self._links[key]


def reach(access: Access, settings: Settings) -> Target:
    """Find the Harbor that `access` leads to, and see that its front door answers at all.

    Raises TargetUnreachable, saying what was tried and what to do. A front door that answers with an error is
    reached: what is wrong with it is for the checks to say. The target's settings are these, with what this access
    brings.
    """
    settings = settings.model_copy(update=dict(access.settings))
    deployment = discover(access.kubernetes, access.namespace, settings.profile, settings.release)
    if access.url is None:
        access = replace(access, url=own_url(deployment))
    target = Target(access, deployment, settings)
    require_links(access)
    try:
        target.front_door.http.get("/")
    except NoAnswer as error:
        target.close()
        raise TargetUnreachable(
            f"Harbor's front door {access.url}: {error}. Is --harbor-url what browsers and docker clients use, "
            "and does this machine reach it? (A certificate of your own: --ca-file.)"
        ) from error
    return target
