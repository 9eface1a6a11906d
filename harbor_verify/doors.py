"""The ways by which docker clients come to the registry: the front door, and each replica behind it on its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harbor_verify.clients.registry import Registry
from harbor_verify.target import Target


@dataclass(frozen=True)
class Door:
    """One way in. `name` goes into names of repositories; `object` is what an operator looks at."""

    name: str
    object: str
    registry: Registry
    is_front: bool = False


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


def behind(doors: list[Door]) -> list[Door]:
    """The replicas among them."""
    return [door for door in doors if not door.is_front]
