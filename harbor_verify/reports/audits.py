"""Audits of the same Harbor that lie beside a report: how far each came, and what it found.

Of `audits/TIME/audit.json`, as harbor_verify/audit/result.py writes it.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harbor_verify.reports.model import Run, Severity

FILE = "audit.json"
_MOST = 5
_MOST_FOLDERS = 60
"""That are looked into."""


@dataclass(frozen=True)
class Audit:
    """`ended` is why it is not whole, or empty; `wrong` and `left_over` are blobs, as must not and should not be."""

    folder: str
    at: datetime
    """When it ended, or was stopped."""
    ended: str
    artifacts: int
    artifacts_read: int
    blobs: int
    blobs_read: int
    read_bytes: int
    wrong: int
    left_over: int
    unknown: int

    @property
    def percent(self) -> float:
        """Of all that is to be read, artifacts and blobs alike; what is not listed yet is not known."""
        there = self.artifacts + self.blobs
        return 100 * (self.artifacts_read + self.blobs_read) / there if there else 0.0


def audits(run: Run, folder: Path) -> list[Audit]:
    """Those of the run's Harbor, the newest first, few; earlier than the run's end.

    `folder` is the run's. What cannot be read, as of one that was killed, is passed over.
    """
    beside = folder.resolve().parent.parent / "audits"
    if not beside.is_dir():
        return []
    found = [
        audit
        for each in sorted(beside.iterdir(), reverse=True)[:_MOST_FOLDERS]
        if (audit := _read(each, run)) and (run.finished is None or audit.at <= run.finished)
    ]
    return sorted(found, key=lambda audit: audit.at, reverse=True)[:_MOST]


def _read(folder: Path, run: Run) -> Audit | None:
    try:
        document: dict[str, Any] = json.loads((folder / FILE).read_text())
        if document["url"] != run.url:
            return None
        counts, kinds = document["counts"], [each["severity"] for each in document["findings"]]
        return Audit(
            folder=folder.name,
            at=datetime.fromisoformat(document["ended_at"]),
            ended="" if document["ended"] == "whole" else document["ended"],
            artifacts=counts["artifacts"],
            artifacts_read=counts["artifacts_read"],
            blobs=counts["blobs"],
            blobs_read=counts["blobs_read"],
            read_bytes=document["figures"]["read_bytes"],
            wrong=kinds.count(Severity.MUST.value),
            left_over=len(kinds) - kinds.count(Severity.MUST.value),
            unknown=len(document["could_not_be_found_out"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
