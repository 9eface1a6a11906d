"""The freeze of a user name after a wrong password: in the memory of one core, so that others know nothing."""

import threading
import time

FROZEN_S = 1.5


class Lockout:
    def __init__(self) -> None:
        self._failed_at_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_frozen(self, principal: str) -> bool:
        with self._lock:
            return time.monotonic() - self._failed_at_s.get(principal, -FROZEN_S) < FROZEN_S

    def punish(self, principal: str) -> None:
        """Freeze the name, and let who tried wait as long."""
        with self._lock:
            self._failed_at_s[principal] = time.monotonic()
        time.sleep(FROZEN_S)
