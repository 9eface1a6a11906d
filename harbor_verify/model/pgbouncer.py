"""How many connections a PgBouncer of the cluster takes, by the configuration that its pods are given."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass

_FILE = "pgbouncer.ini"
_VARIABLES = ("PGBOUNCER_{}", "{}")
"""As images that write the file themselves are told of it."""
_UNLESS_TOLD = {"max_client_conn": "100", "default_pool_size": "20", "pool_mode": "session"}


@dataclass(frozen=True)
class Pool:
    """How many `clients` one PgBouncer serves at a time, of one user and database. `by_session`: each of them keeps one
    connection to the server, and who finds none waits."""

    clients: int
    by_session: bool


def pool_of(files: Mapping[str, str], environment: Mapping[str, str]) -> Pool | None:
    """What a PgBouncer is told; None: nothing says that it is one.

    `files`: the texts that its container is given, by path.
    Source: PgBouncer: max_client_conn, default_pool_size, pool_mode.
    """
    text = next((text for path, text in files.items() if path.endswith(_FILE)), "")
    told = {name: value for name in _UNLESS_TOLD if (value := _of_environment(name, environment))}
    if text:
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        try:
            parser.read_string(text)
        except configparser.Error:
            return None
        if parser.has_section("pgbouncer"):
            told |= {name: parser["pgbouncer"][name] for name in _UNLESS_TOLD if name in parser["pgbouncer"]}
    elif not told:
        return None
    known = {**_UNLESS_TOLD, **told}
    try:
        clients, pool = int(known["max_client_conn"]), int(known["default_pool_size"])
    except ValueError:
        return None
    by_session = known["pool_mode"] == "session"
    return Pool(min(clients, pool) if by_session else clients, by_session)


def _of_environment(name: str, environment: Mapping[str, str]) -> str:
    return next(
        (value for form in _VARIABLES if (value := environment.get(form.format(name.upper()), ""))), ""
    )
