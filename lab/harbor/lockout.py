"""The lock on a user after a wrong password: in the memory of one process, so that other replicas know nothing."""

import threading
import time

LOCKED_S = 1.5


class Lockout:
    def __init__(self) -> None:
        self._failed_at_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_locked(self, principal: str) -> bool:
        with self._lock:
            return time.monotonic() - self._failed_at_s.get(principal, -LOCKED_S) < LOCKED_S

    def punish(self, principal: str) -> None:
        """Lock the user, and let who tried wait as long."""
        with self._lock:
            self._failed_at_s[principal] = time.monotonic()
        time.sleep(LOCKED_S)
