"""The ways by which docker clients come to the registry: the front door, and each replica behind it on its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from harbor_verify.clients.pod_channel import PodGone
from harbor_verify.clients.registry import Registry
from harbor_verify.clients.relay import Connection
from harbor_verify.errors import CannotTell
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target


@dataclass(frozen=True)
class Door:
    """One way in. `name` goes into names of repositories; `object` is what an operator looks at."""

    name: str
    object: str
    registry: Registry
    is_front: bool = False
    connect: Callable[[], Connection] | None = None
    """A connection to it for what no client of HTTP does; its caller closes it. Raises PodGone, OSError."""


@contextmanager
def open_doors(harbor: Target) -> Iterator[list[Door]]:
    """The front door first, then each replica that docker clients speak to. Raises Failure when there is none.

    The front door is opened with what every replica takes, so that nothing here is about who signs tokens.
    """
    link = harbor.new_front_door_link()
    try:
        front = Door(
            "front-door", f"front door {harbor.access.url}", harbor.front_registry_for_all(link), True
        )
        yield [
            front,
            *(Door(each.name, each.object, harbor.registry(each)) for each in harbor.registry_api_replicas()),
        ]
    finally:
        link.close()


@contextmanager
def open_front_replicas(harbor: Target) -> Iterator[list[Door]]:
    """Each replica of Harbor's own front door that clients are led to, on its own; none where it has none of its own.

    By the front door's address nobody chooses which one answers. One whose port only leads on to https, on a port that
    it does not declare, is left out.
    """
    has_own = Role.FRONT_DOOR in harbor.deployment.workloads
    replicas = [each for each in harbor.replicas(Role.FRONT_DOOR) if each.ready] if has_own else []
    with ExitStack() as stack:
        doors = []
        for each in replicas:
            replica = _as_clients_come(harbor, each)
            link = stack.enter_context(closing(harbor.new_link(replica)))
            if not (harbor.url.startswith("https:") and link.get("/v2/").is_redirect):
                registry, connect = harbor.front_registry_for_all(link), partial(harbor.connect, replica)
                doors.append(Door(each.name, each.object, registry, True, connect))
        yield doors


def first_answer(door: Door, repository: str, size_bytes: int) -> str:
    """What a replica of the front door says to the head of an upload of that length before any of it is sent:
    `HTTP/1.1 100 Continue`, or why not. Raises CannotTell.

    Source: RFC 9110, Expect; nginx compares Content-Length with client_max_body_size before it reads or passes on.
    """
    assert door.connect is not None, "only replicas are asked so"
    host = str(door.registry.http.headers.get("Host", door.name))
    head = (
        f"PATCH /v2/{repository}/blobs/uploads/none HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Content-Length: {size_bytes}\r\nExpect: 100-continue\r\n\r\n"
    )
    try:
        with closing(door.connect()) as connection:
            connection.sendall(head.encode())
            answer = connection.recv(4096)
    except (OSError, PodGone) as lost:
        raise CannotTell(f"{door.name} says nothing to the head of an upload: {lost}") from lost
    return answer.partition(b"\r\n")[0].decode(errors="replace")


def _as_clients_come(harbor: Target, replica: Replica) -> Replica:
    """By its port for TLS, where it declares one and clients come by https."""
    port = harbor.profile.parts[Role.FRONT_DOOR].tls_port
    declared = {each.container_port for each in replica.container.ports or ()}
    if port is None or port not in declared or not harbor.url.startswith("https:"):
        return replica
    return replace(replica, workload=replace(replica.workload, port=port, tls=True))


def behind(doors: list[Door]) -> list[Door]:
    """The replicas among them."""
    return [door for door in doors if not door.is_front]


def with_next(doors: list[Door]) -> list[tuple[Door, Door]]:
    """Each with the one that comes after it, round a ring: what one took is asked of the other."""
    return list(zip(doors, [*doors[1:], *doors[:1]], strict=True))
