"""The report: how long report.html of the newest run takes to draw."""

import time
from pathlib import Path

from bench.figures import Figure
from harbor_verify.reports import html_file, runs

_REPORTS = Path("reports")


def measure(rounds: int) -> list[Figure]:
    """Draw the newest run in reports/ again; best one of `make verify-failover`, which has most to draw.

    Raises ReportError when no run is kept there.
    """
    folder = runs.find("latest", _REPORTS)
    run = runs.load(folder)
    seconds = []
    for _ in range(rounds + 1):
        begun_s = time.process_time()
        html_file.document(run, folder)
        seconds.append(time.process_time() - begun_s)
    # The first draws fonts, too.
    name = f"report: drawing {len(run.results)} checks"
    return [Figure(name, "s of CPU", seconds[1:], limit=3)]
