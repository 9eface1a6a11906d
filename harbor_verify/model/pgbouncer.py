"""How many connections a PgBouncer of the cluster takes, by the configuration that its pods are given."""

import configparser
from collections.abc import Mapping

_FILE = "pgbouncer.ini"
_VARIABLES = ("PGBOUNCER_{}", "{}")
"""As images that write the file themselves are told of it."""
_UNLESS_TOLD = {"max_client_conn": "100", "default_pool_size": "20", "pool_mode": "session"}


def most_connections(files: Mapping[str, str], environment: Mapping[str, str]) -> int | None:
    """Clients that one PgBouncer serves at a time, for one user of one database; None: nothing says that it is one.

    `files`: the texts that its container is given, by path. By the session each client keeps one connection of the
    pool, and who finds none waits.
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
    return min(clients, pool) if known["pool_mode"] == "session" else clients


def _of_environment(name: str, environment: Mapping[str, str]) -> str:
    return next(
        (value for form in _VARIABLES if (value := environment.get(form.format(name.upper()), ""))), ""
    )
