"""How fast an audit may ask: requests and bytes a second, of all its threads together."""

import threading
import time


class Pace:
    """Makes whoever is too fast wait. 0 is no limit. `stop` ends every wait."""

    def __init__(self, *, requests_per_s: float = 0, bytes_per_s: float = 0) -> None:
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._limits = {"requests": requests_per_s, "bytes": bytes_per_s}
        self._free_at_s = {"requests": 0.0, "bytes": 0.0}
        self.requests = 0
        self.bytes = 0

    def request(self) -> None:
        """Before a request."""
        with self._lock:
            self.requests += 1
        self._take("requests", 1)

    def received(self, count: int) -> None:
        """After so many bytes came."""
        with self._lock:
            self.bytes += count
        self._take("bytes", count)

    def _take(self, what: str, amount: int) -> None:
        limit = self._limits[what]
        if not limit:
            return
        with self._lock:
            now_s = time.monotonic()
            begin_s = max(now_s, self._free_at_s[what])
            self._free_at_s[what] = begin_s + amount / limit
        self.stop.wait(max(0.0, begin_s - now_s))
