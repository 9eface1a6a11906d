"""False alarms and misses: the lab is verified again and again, and each verdict that is not the right one is told.

`make soak N=20` runs the checks that break nothing 20 times and those that break something 5 times, in a layout
(LAYOUT=…), also beside programs that take all processors (LOADED=1), where *could not find out* is right, too: it is
told, with the figure, and is no false alarm. With DEFECT=NAME that is planted anew each time, and the checks that it
turns red are run: each of them has to be red, 20 times of 20, by what it measured. Nothing is run again to make it
right: a check that was wrong once is wrong.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab import cluster, defects, layouts, profiles, settings
from tests.lab.running import CHECKS, HARMLESS, heal_stores, healthy, make_sound, saw_nothing, verify

_FOLDER = settings.REPOSITORY / "reports" / "soak"
_HARMLESS_PER_DISRUPTION = 4
_TERMINAL = Console(highlight=False, markup=False)
_DISRUPTIVE = frozenset(id for id, check in CHECKS.items() if "disruption" in check.needs)
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


@dataclass(frozen=True)
class Soak:
    """What is verified again and again; `only`: these checks, and each time."""

    profile: str
    layout: str
    defect: str | None
    times: int
    folder: Path
    only: frozenset[str] = frozenset()
    loaded: bool = False

    def run(self) -> Iterator[tuple[int, str, str]]:
        """(run, check, what it said instead) of each check that was wrong. The lab is sound at the end."""
        harbor = cluster.Deployed(profiles.find(self.profile))
        planted = defects.find(harbor.profile, self.defect) if self.defect else None
        red = planted.turns_red if planted else frozenset[str]()
        by_chance = planted.may_turn_red if planted else frozenset[str]()
        heal_stores()
        layout = cluster.lay_out(harbor.profile, (planted and planted.layout) or self.layout)
        expected = healthy(self.profile, CHECKS, layout) | dict.fromkeys(red, "fail")
        try:
            for number in range(1, self.times + 1):
                ids = self.only or red or self._usual(number)
                _TERMINAL.print(f"run {number} of {self.times}: {len(ids)} checks")
                checks = {}
                for part, together in enumerate(self._parts(ids)):
                    if self.defect:
                        defects.plant(harbor, self.defect, instead=True)
                    folder = self.folder / f"{number:03}" / f"{part}"
                    checks |= verify(self.profile, folder, together, budgets={})[1]
                for id, check in checks.items():
                    right = {expected[id], *(["fail"] if id in by_chance else [])}
                    green = expected[id] == "pass"
                    right |= {"not applicable"} if green else set()
                    said = f"{check['verdict']}, not {expected[id]}: {check['message']}"
                    if id in red and saw_nothing(check):
                        right, said = set(), f"red before it saw anything of the defect: {check['message']}"
                    if check["verdict"] not in right:
                        _TERMINAL.print(f"  {id}: {said}")
                    if check["verdict"] not in right | ({"error"} if self.loaded and green else set()):
                        yield number, id, said
        finally:
            make_sound(harbor)

    def _parts(self, ids: frozenset[str]) -> list[frozenset[str]]:
        """Those that are run together. With a defect, what one check breaks may stay so for the next."""
        alone = ids & _DISRUPTIVE if self.defect else frozenset()
        return [part for part in (ids - alone, *(frozenset({id}) for id in sorted(alone))) if part]

    def _usual(self, number: int) -> frozenset[str]:
        return frozenset(HARMLESS | (set() if number % _HARMLESS_PER_DISRUPTION else _DISRUPTIVE))


def main() -> int:
    """Exit code 1 when a check was wrong, in any run."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.soak", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="runs (default: 20)")
    parser.add_argument("--profile", default=profiles.DEFAULT, help=f"of {', '.join(profiles.ALL)}")
    parser.add_argument("--layout", default=layouts.REFERENCE, help="of `python -m lab layouts`")
    parser.add_argument("--defect", help="planted each time; of `python -m lab break`")
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
    soak = Soak(
        options.profile,
        options.layout,
        options.defect,
        options.times,
        options.folder,
        frozenset(options.check),
        options.loaded,
    )
    with loaded() if options.loaded else nullcontext():
        wrong = list(soak.run())
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
