"""A MySQL or MariaDB, maybe a node of a Galera cluster."""

from pathlib import Path
from typing import Any

import pymysql

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import StoreRefused
from harbor_verify.model import galera, grants
from harbor_verify.model.addresses import split
from harbor_verify.model.stores import Database, Durability, Redundancy

_FLUSH = "innodb_flush_log_at_trx_commit"


class MySql(Sql):
    """One connection to it."""

    def __init__(
        self,
        database: Database,
        address: str,
        *,
        timeouts_s: tuple[float, float],
        ca_file: Path | None = None,
    ) -> None:
        """`ca_file` has no use here: the first Harbors speak to MySQL without TLS."""
        super().__init__(database, address)
        host, port = split(address)
        connect_s, request_s = timeouts_s
        try:
            self._connection = pymysql.connect(
                host=host,
                port=int(port),
                user=database.user,
                password=database.password,
                database=database.name,
                charset="utf8mb4",
                connect_timeout=max(1, round(connect_s)),
                read_timeout=request_s,
                write_timeout=request_s,
                autocommit=True,
            )
        except (pymysql.Error, OSError) as refused:
            raise self._refused(refused) from refused

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, values or None)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as refused:
            raise self._refused(refused) from refused

    def variables(self, query: str) -> dict[str, str]:
        """SHOW STATUS or SHOW VARIABLES as a mapping."""
        return {str(name): str(value) for name, value in self.rows(query)}

    def tables(self) -> set[str]:
        rows = self.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        return {str(name).lower() for (name,) in rows}

    def has_row(self, table: str, where: str) -> bool:
        return bool(self.rows(f"SELECT 1 FROM `{table}` WHERE {where} LIMIT 1"))

    def missing_rights(self) -> list[str]:
        """By SHOW GRANTS of the account that the credentials lead to, with its active roles."""
        grant_lines = [str(line) for (line,) in self.rows("SHOW GRANTS")]
        missing = list(grants.missing_privileges(grant_lines, self._database.name))
        shown = "; ".join(map(grants.without_password, grant_lines))
        return [*missing, f"({shown})"] if missing else []

    def durability(self) -> Durability:
        """By innodb_flush_log_at_trx_commit. 2 loses the last second with the machine: of a cluster others have it."""
        told = self.variables(f"SHOW VARIABLES LIKE '{_FLUSH}'").get(_FLUSH, "1")
        well = {"1", "2"} if self.writer() is not None else {"1"}
        return Durability(() if told in well else (f"{_FLUSH} is {told}",))

    def writer(self) -> str | None:
        """The name of the node, of a Galera cluster."""
        variables = self.variables("SHOW VARIABLES LIKE 'wsrep\\_%'")
        status = self.variables("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'")
        return variables.get("wsrep_node_name", "") if galera.is_galera(variables, status) else None

    def redundancy(self) -> Redundancy:
        """By Galera's status, else by MariaDB's Slaves_connected, else by MySQL's group replication."""
        try:
            variables = self.variables("SHOW VARIABLES LIKE 'wsrep\\_%'")
            status = self.variables("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'")
            if galera.is_galera(variables, status):
                return _of_members("wsrep_cluster_size", int(status.get("wsrep_cluster_size") or 0))
            replicas = self.variables("SHOW GLOBAL STATUS LIKE 'Slaves\\_connected'")
            if (counted := replicas.get("Slaves_connected")) is not None:
                return Redundancy(int(counted) > 0, f"Slaves_connected is {counted}")
            members = self.rows(
                "SELECT COUNT(*) FROM performance_schema.replication_group_members "
                "WHERE member_state = 'ONLINE'"
            )
        except StoreRefused as refused:
            return Redundancy(None, str(refused))
        if members and members[0][0]:
            return _of_members("members ONLINE in its group", int(members[0][0]))
        return Redundancy(
            None, "it is in no cluster, and shows its replicas only to whoever has REPLICATION SLAVE"
        )

    def _refused(self, refused: Exception) -> StoreRefused:
        # (1045, "Access denied for user …"): the server's words name the user, never the password.
        number, *words = refused.args or ("",)
        return self._refusal(f"{words[0]} ({number})" if words else str(refused))


def _of_members(what: str, count: int) -> Redundancy:
    if count >= galera.LEAST:
        return Redundancy(True, f"{what}: {count}")
    return Redundancy(False, f"{what}: {count}; when one is lost, fewer than {galera.LEAST} have no majority")
