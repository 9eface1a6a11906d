"""What Harbor 2.x has beside the registry: replication to and from other registries, scanners, statistics.

Source: Harbor, api/v2.0: replication/policies, replication/executions, registries, scanners, statistics.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from harbor_verify.clients.capabilities import Endpoint, ReplicationRule, ReplicationRun, Scanner
from harbor_verify.clients.harbor import Credentials, basic
from harbor_verify.clients.http import document, expect, summary
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.profiles.harbor_2.lists import API, PAGE, HasLists

_DATABASE_OF = "harbor.scanner-adapter/vulnerability-database-updated-at"
_HERE = "this Harbor"

T = TypeVar("T")


class BesideTheRegistry(HasLists):
    """The part of its client that is about this."""

    def endpoints(self, credentials: Credentials) -> list[Endpoint]:
        return self._listed(
            "/registries",
            credentials,
            lambda each: Endpoint(
                int(each["id"]), str(each["name"]), str(each["url"]), str(each.get("status", ""))
            ),
        )

    def rules(self, credentials: Credentials) -> list[ReplicationRule]:
        return self._listed("/replication/policies", credentials, _rule)

    def runs_of(self, rule: ReplicationRule, credentials: Credentials) -> list[ReplicationRun]:
        found = self._listed(
            "/replication/executions", credentials, _run, policy_id=rule.id, sort="-start_time", most=PAGE
        )
        return sorted(found, key=lambda each: each.id, reverse=True)

    def scanners(self, credentials: Credentials) -> list[Scanner]:
        return self._listed(
            "/scanners",
            credentials,
            lambda each: Scanner(str(each["uuid"]), str(each["name"]), bool(each.get("disabled"))),
        )

    def scanner_database(self, scanner: Scanner, credentials: Credentials) -> datetime | None:
        """GET /scanners/ID/metadata, which Harbor asks of the scanner itself."""
        answer = self.http.get(f"{API}/scanners/{scanner.id}/metadata", auth=basic(credentials))
        try:
            told = (document(expect(answer, 200)).get("properties") or {}).get(_DATABASE_OF)
            return datetime.fromisoformat(told) if told else None
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no metadata of a scanner", status=200) from wrong

    def count_of_projects(self, credentials: Credentials) -> int:
        """GET /statistics, of all projects for an administrator."""
        answer = self.http.get(f"{API}/statistics", auth=basic(credentials))
        try:
            return int(document(expect(answer, 200))["total_project_count"])
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no statistics", status=200) from wrong

    def _listed(
        self,
        path: str,
        credentials: Credentials,
        read: Callable[[Any], T],
        *,
        most: int | None = None,
        **query: Any,
    ) -> list[T]:
        """All entries of a list, or the first `most`."""
        try:
            return [read(each) for each in islice(self.each_of(path, query, credentials), most)]
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(
                f"GET {API}{path}: no list of {path[1:]}: {wrong!r}", status=200
            ) from wrong


def _rule(entry: Any) -> ReplicationRule:
    trigger = entry.get("trigger") or {}
    ends = [entry.get("src_registry") or {}, entry.get("dest_registry") or {}]
    source, target = (str(end.get("name") or _HERE) if end.get("id") else _HERE for end in ends)
    return ReplicationRule(
        id=int(entry["id"]),
        name=str(entry["name"]),
        enabled=bool(entry.get("enabled")),
        source=source,
        target=target,
        endpoint_ids=tuple(int(end["id"]) for end in ends if end.get("id")),
        cron=str((trigger.get("trigger_settings") or {}).get("cron") or "")
        if trigger.get("type") == "scheduled"
        else "",
        changed=datetime.fromisoformat(entry["update_time"]),
    )


def _run(entry: Any) -> ReplicationRun:
    ended = entry.get("end_time") or ""
    return ReplicationRun(
        id=int(entry["id"]),
        status=str(entry["status"]),
        started=datetime.fromisoformat(entry["start_time"]),
        # Go's zero time is none.
        ended=datetime.fromisoformat(ended) if ended and not ended.startswith("0001-") else None,
        failed=int(entry.get("failed") or 0),
        total=int(entry.get("total") or 0),
        told=str(entry.get("status_text") or ""),
    )
