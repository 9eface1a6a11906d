"""PgBouncer gives its connections to the database to whoever has a transaction: what Harbor prepares is elsewhere."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find
from lab.layouts.harbor_2.pgbouncer import NAME


def _pool_by_transaction(objects: list[Object]) -> None:
    configuration = find(objects, "ConfigMap", NAME)
    change_text(configuration, "pgbouncer.ini", "pool_mode = session", "pool_mode = transaction")


DEFECT = Defect(
    report="h#15379",
    shows="requests end with 500 now and then: prepared statement does not exist",
    layout="pgbouncer",
    turns_red=frozenset({"database.pooler-keeps-prepared-statements"}),
    change=_pool_by_transaction,
)
