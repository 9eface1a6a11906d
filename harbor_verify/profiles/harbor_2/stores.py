"""Where the environment of a core says that the database and the sessions are."""

import math
from datetime import UTC, datetime
from urllib.parse import SplitResult, unquote, urlsplit

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.addresses import joined, split
from harbor_verify.model.roles import Environment, Migration, RobotAccount
from harbor_verify.model.stores import Database, SessionStore

_VARIABLE = "_REDIS_URL_CORE"
_PORTS = {"redis": 6379, "rediss": 6379, "redis+sentinel": 26379, "rediss+sentinel": 26379}


def session_store(environment: Environment) -> SessionStore | None:
    """`_REDIS_URL_CORE`: redis[s][+sentinel]://[user]:password@host[:port][,host…]/[primary/][database]?options.

    None where it is absent: with `_REDIS_URL_HARBOR` alone core starts, and keeps sessions in its memory.
    """
    setting = environment.get(_VARIABLE, "")
    return redis_of_url(_VARIABLE, setting) if setting else None


def redis_of_url(name: str, setting: str) -> SessionStore:
    """The Redis that the setting of this name holds, of the form that `session_store` tells.

    Raises WrongConfiguration.
    """
    try:
        url = urlsplit(setting)
    except ValueError as wrong:
        raise WrongConfiguration(f"{name} is no URL") from wrong
    if not setting.startswith(tuple(f"{scheme}://" for scheme in _PORTS)):
        # Core then tries 127.0.0.1, and says nothing.
        raise WrongConfiguration(f"{name} does not begin with {', '.join(f'{each}://' for each in _PORTS)}")
    user, password, hosts = _authority(url)
    *primary, database = url.path.strip("/").split("/")
    sentinel = url.scheme.endswith("+sentinel")
    if sentinel and not primary and not database.isdecimal():
        # Without a database it is database 0.
        primary, database = [database], ""
    if not (database or "0").isdecimal():
        raise WrongConfiguration(f"the database in {name}, the end of its path, is not a number")
    addresses = [_address(host, _PORTS[url.scheme]) for host in hosts]
    if any(not host or not port.isdecimal() for host, port in addresses):
        raise WrongConfiguration(f"{name} names a host without a name, or a port that is not a number")
    if sentinel != bool(primary and primary[0]):
        raise WrongConfiguration(
            f"{name} names no primary before the database, which Sentinels are asked for"
            if sentinel
            else f"{name} names a primary, which only a redis+sentinel:// asks for"
        )
    host, port = addresses[0]
    return SessionStore(
        host,
        int(port),
        password=password,
        database=int(database or 0),
        user=user,
        tls=url.scheme.startswith("rediss"),
        primary=primary[0] if sentinel else "",
        sentinels=tuple(joined(host, port) for host, port in addresses) if sentinel else (),
    )


def database(environment: Environment) -> Database:
    """The POSTGRESQL_ variables of core."""
    names = ("HOST", "PORT", "USERNAME", "PASSWORD", "DATABASE")
    values = {name: environment.get(f"POSTGRESQL_{name}", "") for name in names}
    missing = [f"POSTGRESQL_{name}" for name, value in values.items() if not value]
    if missing:
        raise WrongConfiguration(f"without {', '.join(missing)}")
    if not values["PORT"].isdecimal():
        raise WrongConfiguration(f"POSTGRESQL_PORT is {values['PORT']!r}, not a number")
    return Database(
        "postgresql",
        values["HOST"],
        int(values["PORT"]),
        user=values["USERNAME"],
        password=values["PASSWORD"],
        name=values["DATABASE"],
        tls=environment.get("POSTGRESQL_SSLMODE", ""),
    )


def most_connections(environment: Environment) -> float | None:
    """POSTGRESQL_MAX_OPEN_CONNS of core, HARBOR_DATABASE_MAX_OPEN_CONNS of the exporter; None where both are absent.

    0 and less are no limit (source: Go, database/sql, SetMaxOpenConns).
    """
    for name in ("POSTGRESQL_MAX_OPEN_CONNS", "HARBOR_DATABASE_MAX_OPEN_CONNS"):
        if not (setting := environment.get(name, "")):
            continue
        if not setting.removeprefix("-").isdecimal():
            raise WrongConfiguration(f"{name} is {setting!r}, not a number")
        return int(setting) if int(setting) > 0 else math.inf
    return None


def robots(sql: Sql) -> list[RobotAccount]:
    """The rows of the table robot that are shown to people: others are of Harbor's own jobs."""
    rows = sql.rows(
        "SELECT robot.name, project.name, robot.creation_time, robot.expiresat, robot.disabled FROM robot "
        "LEFT JOIN project ON project.project_id = robot.project_id AND robot.project_id > 0 "
        "WHERE robot.visible ORDER BY robot.id"
    )
    return [
        RobotAccount(
            name=str(name),
            project=str(project or ""),
            made=made.replace(tzinfo=UTC),
            ends=datetime.fromtimestamp(int(ends), UTC) if int(ends) > 0 else None,
            disabled=bool(disabled),
        )
        for name, project, made, ends, disabled in rows
    ]


def migrations(sql: Sql) -> list[Migration]:
    """The row, or rows, of schema_migrations."""
    rows = sql.rows("SELECT version, dirty FROM schema_migrations")
    return [Migration(int(version), bool(dirty)) for version, dirty in rows]


def _authority(url: SplitResult) -> tuple[str, str, list[str]]:
    """(user, password, hosts)."""
    login, _, hosts = url.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return unquote(user), unquote(password), hosts.split(",")


def _address(host: str, default_port: int) -> tuple[str, str]:
    name, port = split(host)
    return name, port or str(default_port)
