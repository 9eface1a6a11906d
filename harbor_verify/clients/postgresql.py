"""A PostgreSQL."""

from typing import Any

import psycopg
from psycopg import sql

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import StoreRefused
from harbor_verify.model.grants import READ_AND_WRITE
from harbor_verify.model.stores import Database


class PostgreSql(Sql):
    """One connection to it."""

    def __init__(self, database: Database, address: str, *, timeouts_s: tuple[float, float]) -> None:
        super().__init__(database, address)
        host, _, port = address.rpartition(":")
        connect_s, request_s = timeouts_s
        try:
            self._connection = psycopg.connect(
                host=host,
                port=int(port),
                user=database.user,
                password=database.password,
                dbname=database.name,
                sslmode=database.tls or "prefer",
                connect_timeout=max(2, round(connect_s)),
                options=f"-c statement_timeout={round(request_s * 1000)}",
                tcp_user_timeout=round(request_s * 1000),
                application_name="harbor-verify",
                autocommit=True,
            )
        except psycopg.Error as refused:
            raise self._refused(refused) from refused

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: Any, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values or None).fetchall()
        except psycopg.Error as refused:
            raise self._refused(refused) from refused

    def tables(self) -> set[str]:
        rows = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {str(name).lower() for (name,) in rows}

    def has_row(self, table: str, where: str) -> bool:
        query = sql.SQL("SELECT 1 FROM {} WHERE " + where + " LIMIT 1").format(sql.Identifier(table))
        return bool(self.rows(query))

    def missing_rights(self) -> list[str]:
        """By has_table_privilege, of each table; and that it is not a server which takes no writes at all."""
        missing = []
        for right in READ_AND_WRITE:
            lacking = self.rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
                "AND NOT has_table_privilege(format('%%I.%%I', schemaname, tablename), %s) ORDER BY tablename",
                right,
            )
            if lacking:
                names = [str(name) for (name,) in lacking]
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                missing.append(f"{right} on {', '.join(names[:3])}{more}")
        ((read_only,),) = self.rows("SHOW transaction_read_only")
        ((recovering,),) = self.rows("SELECT pg_is_in_recovery()")
        if recovering:
            missing.append("any write: this server is a standby")
        elif read_only != "off":
            missing.append("any write: transactions are read-only here")
        return missing

    def _refused(self, refused: psycopg.Error) -> StoreRefused:
        return self._refusal(" ".join(str(refused).split()))
