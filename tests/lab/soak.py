"""False alarms: the healthy lab is verified again and again, and whatever does not say what it should is told.

`make soak N=20` runs the checks that break nothing 20 times and those that break something 5 times, in a layout
(LAYOUT=…), also beside programs that take all processors (LOADED=1). Nothing is run again to make it pass: a check that
was wrong once is wrong.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab import cluster, layouts, profiles, settings
from tests.lab.running import CHECKS, HARMLESS, healthy, verify

_FOLDER = settings.REPOSITORY / "reports" / "soak"
_HARMLESS_PER_DISRUPTION = 4
_TERMINAL = Console(highlight=False, markup=False)
_BUSY = "while :; do :; done"


@contextmanager
def loaded() -> Iterator[None]:
    """For the length of the block a program a processor that never waits."""
    busy = [subprocess.Popen(["sh", "-c", _BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def soak(
    profile: str, layout: str, times: int, folder: Path, only: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """Verify it so often; gives (run, check, what it said instead) of each check that was wrong.

    `only`: these checks, and each time.
    """
    disruptive = {id for id, check in CHECKS.items() if "disruption" in check.needs}
    expected = healthy(profile, CHECKS, layouts.find(profiles.find(profile), layout))
    for number in range(1, times + 1):
        with_disruptions = number % _HARMLESS_PER_DISRUPTION == 0
        ids = set(only) or HARMLESS | (disruptive if with_disruptions else set())
        _TERMINAL.print(f"run {number} of {times}: {len(ids)} checks")
        _, checks = verify(profile, folder / f"{number:03}", ids, budgets={})
        for id, check in checks.items():
            if check["verdict"] not in (expected[id], "not applicable"):
                said = f"{check['verdict']}, not {expected[id]}: {check['message']}"
                _TERMINAL.print(f"  {id}: {said}")
                yield str(number), id, said


def main() -> int:
    """Exit code 1 when a check was wrong, in any run."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.soak", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="runs (default: 20)")
    parser.add_argument("--profile", default=profiles.DEFAULT, help=f"of {', '.join(profiles.ALL)}")
    parser.add_argument("--layout", default=layouts.REFERENCE, help="of `python -m lab layouts`")
    parser.add_argument("--loaded", action="store_true", help="beside a program a processor that never waits")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the reports go")
    parser.add_argument(
        "--check",
        action="append",
        default=[],
        choices=CHECKS,
        metavar="ID",
        help="only this one, each time; may be repeated",
    )
    options = parser.parse_args()
    cluster.up(options.profile, options.layout)
    runs = soak(options.profile, options.layout, options.times, options.folder, options.check)
    if options.loaded:
        with loaded():
            wrong = list(runs)
    else:
        wrong = list(runs)
    table = Table("check", "wrong in", "first")
    for id, count in Counter(id for _, id, _ in wrong).most_common():
        number, said = next((number, said) for number, wrong_id, said in wrong if wrong_id == id)
        table.add_row(id, f"{count} of {options.times}", f"run {number}: {said.splitlines()[0]}")
    if wrong:
        _TERMINAL.print(table)
    _TERMINAL.print(f"{len(wrong)} wrong verdicts in {options.times} runs; reports in {options.folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
