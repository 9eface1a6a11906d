"""One way of deploying Harbor."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.deployment import rollout


@dataclass(frozen=True)
class Layout:
    """What is other than in `deploy/`, and what the suite must say of it: exactly that."""

    about: str
    """How it is deployed, in one line."""
    change: rollout.Change = lambda objects: None
    """Makes it of the rendered manifests."""
    ensure: Callable[[], object] = lambda: None
    """Starts, or mends, what it needs beside Harbor; called before Harbor is deployed, with the cluster up."""
    session_store: Callable[[], Path] | None = None
    """The program that keeps sessions, which speaks like Redis; None: Redis itself."""
    complete: Callable[[], object] = lambda: None
    """Starts, or mends, what needs Harbor's own objects: whoever leads clients to them; called after that."""
    healthy: Callable[[], str] | None = None
    """What of that is there, as a sentence; raises LabError or OSError when it is not well."""
    url: str | None = None
    """The front door, as clients use it; None: the profile's."""
    settings: Callable[[], dict[str, object]] = dict
    """What the suite has to be told of it, by the names of its settings: certificates to trust, a release."""
    not_applicable: frozenset[str] = frozenset()
    """Ids of checks that find nothing here to be about."""
    applicable: frozenset[str] = frozenset()
    """Ids of checks that the reference has nothing for, and this layout has."""
    database_version: str = ""
    """Of what it is the database: with another it finds an empty one. Empty: it has the profile's."""
    remarks: tuple[str, ...] = ()
    """What a reader of a report has to know of it, in sentences."""
    turns_red: frozenset[str] = frozenset()
    """Ids of checks that must be red: this layout is not highly available."""
