"""The Harbor that is being verified, as checks see it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

from harbor_verify.clients import token_service
from harbor_verify.clients.adapters import ByAddress
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.clients.http import HttpClient, PasswordRule
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.clients.pod_channel import run_in_pod
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.registry import Authorise, BackendRegistry, Registry, by_password, by_token
from harbor_verify.clients.relay import Connection
from harbor_verify.clients.sql import Sql
from harbor_verify.clients.token_service import KeptTokens, Token
from harbor_verify.errors import NoAnswer, TargetUnreachable, WrongConfiguration
from harbor_verify.ledger import Ledger
from harbor_verify.logins import Accounts, Logins
from harbor_verify.model import ways_in
from harbor_verify.model.addresses import joined
from harbor_verify.model.backing import Backing, backing_of
from harbor_verify.model.discovery import Deployment, discover
from harbor_verify.model.roles import Profile, Role
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.own_url import own_url
from harbor_verify.providers import Access, require_links
from harbor_verify.replica_links import ReplicaLinks
from harbor_verify.settings import Settings
from harbor_verify.store_links import StoreLinks
from harbor_verify.verdict import Failure, Offender


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
        self._backends: list[BackendRegistry] = []
        self._rule = PasswordRule(access.credentials.password, self.url)
        self._links = ReplicaLinks(access, deployment, settings, self.url, self._rule)
        self._stores = StoreLinks(access, deployment, settings, self.replicas)

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

    @property
    def host(self) -> str:
        """The front door's host alone."""
        return urlsplit(self.url).hostname or ""

    @property
    def may_be_behind_an_ingress(self) -> bool:
        """Whether the front door's port is one that Ingresses and Gateways serve; that of a NodePort is not."""
        return urlsplit(self.url).port in (None, *ways_in.WEB_PORTS)

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
        return self.profile.api(self._links.kept(replica))

    def registry(self, replica: Replica, credentials: Credentials | None = None) -> Registry:
        """The registry API at this replica and no other: one of the registry, or one that docker clients speak to.

        A registry replica that knows none of Harbor's users is opened as Harbor itself does, and what was pushed to it
        is handed over to Harbor at the end (`adopt`). Elsewhere one is the run's user or `credentials`, with tokens of
        a web replica that this replica trusts, where there is one: what is shown is then about this replica, not about
        who signed a token. The administrator's tokens come from the front door. Raises WrongConfiguration.
        """
        return self.registry_by(self._links.kept(replica), replica, credentials)

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
        link = self._links.kept(replica)
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
        first = self._links.kept(self.registry_api_replicas()[0])
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
        return stores.configurations(self._links.kept(replica), environment)

    def database(self) -> Database:
        """Where Harbor is told that its database is. Raises WrongConfiguration, TargetUnreachable, Failure."""
        return self._stores.database()

    def session_store(self) -> SessionStore | None:
        """Where web replicas are told to keep sessions. Raises WrongConfiguration, TargetUnreachable, Failure."""
        return self._stores.session_store()

    def database_address(self) -> str:
        """HOST:PORT that leads to the database from here."""
        return self._stores.database_address()

    def session_store_addresses(self) -> list[str]:
        """Every HOST:PORT that leads to the session store, or to a Sentinel of it, from here."""
        return self._stores.session_store_addresses()

    def services_for_clients(self) -> set[str]:
        """The names of the Services that clients are led to, Harbor's own proxy's among them."""
        return {
            service.metadata.name
            for role in (Role.FRONT_DOOR, Role.WEB, Role.PAGE)
            if role in self.deployment.workloads
            for service in self.deployment.services_of(self.deployment.workload(role))
        }

    def backing(self, host: str, *, port: int = 0, everywhere: bool = False) -> Backing:
        """What a host stands on, see `backing_of`. Raises NeedMissing, CannotTell, TargetUnreachable."""
        return backing_of(self.kubernetes, self.namespace, host, port=port, everywhere=everywhere)

    def sql(self) -> Sql:
        """The database, see `StoreLinks.sql`; its caller closes it. Raises StoreRefused, CannotTell."""
        return self._stores.sql()

    def redis(self, store: SessionStore) -> RedisStore:
        """The session store with Harbor's own password; its caller closes it."""
        return self._stores.redis(store)

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
        """A session of its own to this replica, see `ReplicaLinks.new`; its caller closes it."""
        return self._links.new(replica, name=name)

    def connect(self, replica: Replica) -> Connection:
        """A connection to this replica's port, see `ReplicaLinks.connect`; its caller closes it."""
        return self._links.connect(replica)

    def is_forwarded(self, role: Role) -> bool:
        """Whether its replicas are reached by port-forward from inside the cluster, see `ReplicaLinks.is_forwarded`."""
        return self._links.is_forwarded(role)

    def served_certificate(self, replica: Replica) -> bytes:
        """The certificate (DER) that it shows, see `ReplicaLinks.served_certificate`."""
        return self._links.served_certificate(replica)

    def new_node_link(self, node: str, address: str, port: int, *, scheme: str) -> HttpClient:
        """A session to the front door by way of one node's address; its caller closes it."""
        shown_as = urlsplit(self.url).hostname or ""
        connect_s = self.settings.timeouts_s[0]
        link = HttpClient(
            node,
            f"{scheme}://{joined(address, port)}",
            timeouts_s=self.settings.timeouts_s,
            verify=self.settings.verify,
            adapter=ByAddress(shown_as, connect_s) if scheme == "https" else None,
            rule=self._rule,
        )
        link.come_from(self.url)
        return link

    def close(self) -> None:
        self._links.close()
        self._stores.close()
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
