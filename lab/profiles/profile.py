"""What the lab has to know of a generation of Harbor to carry one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import settings
from lab.deployment.manifests.secrets import Made


@dataclass(frozen=True)
class Profile:
    """A generation of Harbor in the lab."""

    name: str
    """As the suite calls it, e.g. harbor-1.2; the folder of its manifests in `deploy/` is called so, too."""
    namespace: str
    node_port: int
    package: str
    """The packages below `lab.defects` and `lab.layouts` that hold its own are called so."""
    database: str
    """The part of the lab that is its database, e.g. Galera."""
    secrets: type[Made]
    """What its parts share and is made once for a lab."""
    placeholders: Callable[[Any], dict[str, str]]
    """What stands in the place of each placeholder of its manifests, given its secrets; the volumes' key apart."""
    run_sql: Callable[[str], object]
    """Runs statements in its database, on every node that may be asked, as the database's administrator."""

    settle: Callable[[Callable[..., str]], object] = lambda kubectl: None
    """Makes one that was just deployed as `deploy/` has it like one that is in use. Idempotent. Raises CommandFailed.
    """

    @property
    def manifests(self) -> Path:
        return settings.REPOSITORY / "deploy" / self.name

    @property
    def url(self) -> str:
        """Its front door."""
        return settings.front_door(self.node_port)

    @property
    def folder(self) -> Path:
        """Where the lab keeps its rendered manifests and its secrets."""
        return settings.STATE / self.namespace
