"""Recording: what writing an operation into the history costs the client that does it."""

import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from harbor_verify.history import Outcome, Recorder

_OPERATIONS = 5000


def measure(rounds: int) -> list[Figure]:
    """Record so many operations into a file, one after the other; milliseconds an operation."""
    cost_ms = []
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory() as folder,
            Recorder(Path(folder) / "h.jsonl", run="bench") as recorder,
        ):
            begun = time.monotonic()
            for number in range(_OPERATIONS):
                index = recorder.invoke(
                    client="push@front-door",
                    kind="push",
                    replica="front-door",
                    value={"repository": "p/r", "digest": f"sha256:{number:064x}"},
                )
                recorder.complete(index, Outcome.OK, status=201, value={"longest_wait_ms": 12.3})
            cost_ms.append((time.monotonic() - begun) * 1000 / _OPERATIONS)
    return [Figure("history: recording an operation", "ms", cost_ms, limit=1)]
