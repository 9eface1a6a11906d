"""Pulls are counted a little later, all at once: a pull does not wait for it, nor fail without it."""

import threading
import time

from .... import log
from ...database import Database, DatabaseError, describe
from ..records import artifacts

_INTERVAL_S = 10.0


class Pulls:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, str]] = []

    def start(self) -> None:
        threading.Thread(target=self._count, name="pulls", daemon=True).start()

    def add(self, repository: str, reference: str) -> None:
        with self._lock:
            self._waiting.append((repository, reference))

    def _count(self) -> None:
        while True:
            time.sleep(_INTERVAL_S)
            with self._lock:
                waiting, self._waiting = self._waiting, []
            try:
                for repository, reference in waiting:
                    artifacts.pulled(self._database, repository, reference)
            except DatabaseError as failure:
                log.error(f"failed to count pulls: {describe(failure)}")
