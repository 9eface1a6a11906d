"""What a client is here, whichever program it is."""

from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What is pushed."""

    IMAGE = "image"
    ARTIFACT = "artifact"
    CHART = "chart"
    SIGNATURE = "signature"


IMAGES_ONLY, EVERY_KIND = frozenset({Kind.IMAGE}), frozenset(Kind)


class Client(Protocol):
    """One client. Its methods raise AnswerError where the registry refuses or what came is not what its digest says,
    and CannotTell or DockerDaemonFailed where the client itself fails.
    """

    name: str
    version: str
    """Known once it is prepared."""
    pushes: Kind
    pulls: frozenset[Kind]

    def prepare(self) -> None:
        """Make what it pushes; asks no registry. Who fails here is of no use on this machine."""

    def push(self, repository: str, tag: str) -> str:
        """Push to a repository (without the host); returns the digest that it says it has pushed, empty: it says none.

        Who signs, signs the image that has this tag there.
        """

    def pull(self, repository: str, tag: str) -> str:
        """Pull, and return the digest of what is there then; all bytes are looked at that it leaves."""
