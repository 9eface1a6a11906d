"""The connections that clients at work have, each its own: to the front door, and to replicas one by one."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from functools import partial

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.workloads.images import Connect

FRONT_DOOR = "front-door"


class Ways:
    """All that are opened are closed with `stack`.

    `without` are names of replicas to leave out; `names` the names that replicas have in the history, by UID, where
    they are other than by now.
    """

    def __init__(self, target: Target, settings: Settings, stack: ExitStack, machine: Credentials) -> None:
        """`machine` is who pushes and pulls."""
        self._target, self._settings, self._stack, self._machine = target, settings, stack, machine

    def front_harbor(self) -> Harbor:
        return self._target.profile.api(self._front_link())

    def front_registry(self) -> Connect:
        """Each operation asks for a token anew, as each docker push does."""
        link = self._front_link()
        return Connect(lambda: self._target.front_registry(self._machine, link))

    def webs(self, *, without: Collection[str] = (), names: Mapping[str, str] | None = None) -> list[Harbor]:
        links = self._links(Role.WEB, without, names or {})
        return [self._target.profile.api(link) for _, link in links]

    def registries(
        self, role: Role, *, without: Collection[str] = (), names: Mapping[str, str] | None = None
    ) -> dict[str, Connect]:
        """By replica of the role; their tokens are kept, so that a web replica that is away takes nothing from them."""
        connect_by_name: dict[str, Connect] = {}
        for replica, link in self._links(role, without, names or {}):
            registry = self._target.registry_by(link, replica, self._machine)
            connect_by_name[link.name] = Connect(partial(_same, registry), link.uid)
        return connect_by_name

    def _links(
        self, role: Role, without: Collection[str], names: Mapping[str, str]
    ) -> Iterable[tuple[Replica, HttpClient]]:
        for replica in self._target.replicas(role):
            if replica.name not in without:
                link = self._target.new_link(replica, name=names.get(replica.uid))
                yield replica, self._patient(link)

    def _front_link(self) -> HttpClient:
        """A connection a request: one that was kept may be closed by the other side while a request is on its way,
        and such a request is the client's own to send again (RFC 9112, 9.3.1), as browsers and docker do.
        """
        link = self._target.new_front_door_link(FRONT_DOOR)
        link.headers["Connection"] = "close"
        return self._patient(link)

    def _patient(self, link: HttpClient) -> HttpClient:
        """It waits as long as a client would, and is closed at the end."""
        connect_s, request_s = self._settings.timeouts_s
        link.timeouts_s = (connect_s, min(request_s, self._settings.patience_s))
        self._stack.callback(link.close)
        return link


def _same(registry: Registry) -> Registry:
    return registry
