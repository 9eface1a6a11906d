"""What deploy/ adds to the official chart, and what it is worth: outages of Harbor 2.x in both layouts, by turns.

Only when it is asked for by name: three rounds take half an hour.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure
from lab import cluster, layouts, profiles, settings

CHECKS = (
    "failover.front-door-pod-kill",
    "failover.node-drain",
    "failover.registry-pod-kill",
    "failover.web-abrupt-pod-kill",
    "failover.web-pause",
    "failover.web-pod-kill",
    "failover.web-rolling-restart",
)
_LAYOUTS = {"chart-probes": "as the chart renders it", layouts.REFERENCE: "deploy/harbor-2"}
_FIGURES = {"outage_ms": "longest outage", "bad_time_ms": "bad time in all", "failed": "failed requests"}


def measure(rounds: int) -> list[Figure]:
    """Break Harbor in each way in each of the layouts, `rounds` times; leaves the reference behind.

    What is judged red is measured all the same. Raises AssertionError when a check measures nothing.
    """
    measured: dict[tuple[str, str], list[dict[str, float]]] = {}
    try:
        for _ in range(rounds):
            for layout in _LAYOUTS:
                cluster.up(profiles.DEFAULT, layout)
                for id, figures in _break().items():
                    measured.setdefault((id, layout), []).append(figures)
    finally:
        cluster.up(profiles.DEFAULT, layouts.REFERENCE)
    return [
        Figure(
            f"{id}, {told}: {words}",
            "" if name == "failed" else "ms",
            [each.get(name, 0) for each in measured[id, layout]],
        )
        for id in CHECKS
        for name, words in _FIGURES.items()
        for layout, told in _LAYOUTS.items()
    ]


def _break() -> dict[str, dict[str, float]]:
    """What each check measured, by its id."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "suites/failover", "--lab"),
                *(f"--profile={profiles.DEFAULT}", f"--report-dir={folder}"),
                *(f"--check={id}" for id in CHECKS),
            ],
            cwd=settings.REPOSITORY,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        report = json.loads((Path(folder) / "latest" / "report.json").read_text())
    measured = {check["id"]: check["measured"] for check in report["checks"]}
    assert all("outage_ms" in measured[id] for id in CHECKS), f"a check measured nothing: {measured}"
    return measured
