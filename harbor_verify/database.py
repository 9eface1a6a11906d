"""Harbor's database, for checks: what it refuses to Harbor is Harbor's failure, said in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import StoreRefused, WrongConfiguration
from harbor_verify.model.stores import Database
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender

_EXPECTED = "Harbor's own credentials open its database, and may ask what is asked here"


def named_database(target: Target) -> Database:
    """The database that Harbor's settings name. Raises Failure where they name none."""
    try:
        return target.database()
    except WrongConfiguration as wrong:
        settings = target.workload(target.profile.database_role).object
        raise Failure([Offender(settings, _EXPECTED, str(wrong))]) from wrong


@contextmanager
def harbors_database(target: Target) -> Iterator[Sql]:
    """A connection with Harbor's own credentials, for the length of the block.

    Raises Failure where Harbor's settings name no database, and when the database refuses, in the block too.
    """
    database = named_database(target)
    try:
        with target.sql() as sql:
            yield sql
    except StoreRefused as refused:
        raise Failure([Offender(f"database {database}", _EXPECTED, str(refused))]) from refused
