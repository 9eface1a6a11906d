"""Files of those whom one trusts: this system's authorities, and those that Harbor was given."""

import ssl
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile


def with_the_systems(given: Iterable[str]) -> str:
    """Authorities (PEM) that were given, after those that this side trusts as it is."""
    return "\n".join([*_system(), *given])


def written(bundle: str) -> Path:
    """A new file with these; who asked for it removes it."""
    with NamedTemporaryFile("w", prefix="harbor-verify-", suffix=".crt", delete=False) as file:
        file.write(bundle)
    return Path(file.name)


def _system() -> list[str]:
    """PEM; empty where they are in no single file."""
    system = ssl.get_default_verify_paths().cafile
    return [Path(system).read_text()] if system else []
