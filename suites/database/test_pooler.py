"""Whether Harbor can work by way of what pools its connections to the database."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database, named_database
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_TRIES = 5
"""Several poolers may be behind one name, and only what comes to the same one meets."""


@check(
    "database.pooler-keeps-prepared-statements",
    hint="Harbor prepares its statements, so requests end with 500 now and then, as soon as several come at once, and "
    "the log says `prepared statement … does not exist` or `already exists`. Let the pooler keep one connection to the "
    "database for each client: PgBouncer: pool_mode = session for Harbor's database, and default_pool_size at least as "
    "many as all replicas may open ({database_settings}). PgBouncer from 1.21 on can also keep prepared statements "
    "with pool_mode = transaction: max_prepared_statements = 200; but a lock that a starting replica takes for a "
    "migration of the schema may then stay, and keep all others from starting.",
    source="PgBouncer: features by pool_mode, max_prepared_statements; report 15379 of goharbor/harbor",
    needs=("database",),
    severity=SHOULD,
    builds_on=("database.reachable",),
)
def test_what_harbor_prepares_is_found_again_by_way_of_a_pooler(
    harbor: Target, findings: Findings, not_applicable
):
    """A statement that a connection has prepared is there when it is used, whatever other connections do.

    Source: two connections with Harbor's own credentials, of which one uses its statement while the other is in a
    transaction.
    """
    expected = "each connection finds again what it has prepared"
    with harbors_database(harbor) as first:
        if not first.by_pooler():
            not_applicable("no pooler stands before the database: a connection is one to the server itself")
        with findings.about(f"pooler before database {named_database(harbor)}", expected) as pooler:
            for _ in range(_TRIES):
                with harbors_database(harbor) as second:
                    if forgotten := first.forgets_beside(second):
                        pooler.wrong(f"{forgotten}, while another connection was in a transaction")
                        return
