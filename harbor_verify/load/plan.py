"""What the process that loads Harbor is told, and what it tells: one JSON document a line."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from harbor_verify.clients.harbor import Credentials

PERIOD_S = 1.0
"""Each client begins one pull or push a period at most; where an answer takes longer, the next begins at once."""
PULLS_A_PUSH = 3
"""A registry is pulled from more than it is pushed to."""


@dataclass(frozen=True)
class Plan:
    """It goes to standard input, for it has a secret. `for_s` seconds at most, `most_bytes` pushed in all."""

    url: str
    verify: bool | str
    clients: int
    credentials: Credentials
    pulls_from: str
    digest: str
    """An image that is there, in that repository; each client pulls its own newest, once it has pushed one."""
    pushes_to: str
    run_id: str
    most_bytes: int
    timeouts_s: tuple[float, float]
    for_s: float = 1800

    def line(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, line: str) -> Self:
        told = json.loads(line)
        told["credentials"] = Credentials(**told["credentials"])
        told["timeouts_s"] = tuple(told["timeouts_s"])
        return cls(**told)


@dataclass(frozen=True)
class Done:
    """What was done since the beginning. `longest_ms`, `p99_ms`: of one whole pull or push, that came about."""

    pulls: int = 0
    pushes: int = 0
    failed: int = 0
    pushed_bytes: int = 0
    seconds: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    longest_ms: float = 0.0
    error: str = ""
    """Why the last one failed that did."""

    def line(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, line: str) -> Self:
        """Raises ValueError, TypeError."""
        return cls(**json.loads(line))

    @property
    def measured(self) -> Mapping[str, Any]:
        """As figures of a check."""
        count = self.pulls + self.pushes
        return {
            "load_pulls": self.pulls,
            "load_pushes": self.pushes,
            "load_failed": self.failed,
            "load_pushed_bytes": self.pushed_bytes,
            "load_rate_per_s": round(count / self.seconds, 1) if self.seconds else 0.0,
            "load_p50_ms": round(self.p50_ms, 1),
            "load_p99_ms": round(self.p99_ms, 1),
            "load_longest_ms": round(self.longest_ms, 1),
        }
