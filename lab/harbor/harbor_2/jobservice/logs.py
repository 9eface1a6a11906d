"""Logs of jobs: files in a folder that all replicas share, or rows of the database."""

import re
import time
from pathlib import Path
from typing import Protocol

from ..database import Database

_JOB_ID = re.compile(r"[0-9a-f]{24}")


class Logs(Protocol):
    def append(self, job_id: str, text: str) -> None: ...
    def end(self, job_id: str) -> None:
        """The job writes no more."""
        ...

    def read(self, job_id: str) -> bytes | None:
        """None when that job has written none."""
        ...


class FileLogs:
    """`{job id}.log`. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, job_id: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path(job_id).open("a") as file:
            file.write(text)

    def end(self, job_id: str) -> None:
        """It is all there already."""

    def read(self, job_id: str) -> bytes | None:
        if not _JOB_ID.fullmatch(job_id):
            return None
        path = self._path(job_id)
        return path.read_bytes() if path.exists() else None

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.log"


class DatabaseLogs:
    """A row of the database for each job, written when it ends: until then its log is nowhere but in this program.

    Raises DatabaseError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: dict[str, list[str]] = {}

    def append(self, job_id: str, text: str) -> None:
        self._unwritten.setdefault(job_id, []).append(text)

    def end(self, job_id: str) -> None:
        self._database.change(
            """INSERT INTO job_log (job_uuid, content) VALUES (%s, %s)
                ON CONFLICT (job_uuid) DO UPDATE SET content = EXCLUDED.content""",
            job_id,
            "".join(self._unwritten.pop(job_id, ())),
        )

    def read(self, job_id: str) -> bytes | None:
        row = self._database.row("SELECT content FROM job_log WHERE job_uuid = %s", job_id)
        return str(row["content"]).encode() if row else None


class JobLog:
    """What one job writes."""

    def __init__(self, logs: Logs, job_id: str) -> None:
        self._logs = logs
        self._job_id = job_id

    def info(self, text: str) -> None:
        self._write("INFO", text)

    def warning(self, text: str) -> None:
        self._write("WARNING", text)

    def error(self, text: str) -> None:
        self._write("ERROR", text)

    def end(self) -> None:
        """To be called once, when nothing more will be written."""
        self._logs.end(self._job_id)

    def _write(self, level: str, text: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._logs.append(self._job_id, f"{moment} [{level}] [stand-in]: {text}\n")
