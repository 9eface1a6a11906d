"""The matrix of defects and checks: as text of 80 columns, and as one HTML file that needs nothing else."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import harbor_verify.reports
from harbor_verify.reports import whole
from tests.lab.matrix.record import Planted, Record

SEEN, MISSED, FALSE_ALARM, UNKNOWN, BY_CHANCE = (
    "seen",
    "missed",
    "false alarm",
    "could not find out",
    "by chance",
)
"""What is drawn of a check: it failed as it had to; it did not; it failed and had to pass; it said neither; it failed,
as it may. A check that said what it had to and is not red is not drawn."""
_WIDTH = 80
_TEMPLATES = Path(harbor_verify.reports.__file__).parent / "templates"


@dataclass(frozen=True)
class Row:
    """One defect. What goes wrong beside it in a group is shown with each of the group: any of them may be at fault."""

    name: str
    record: Record
    planted: Planted

    @cached_property
    def cells(self) -> dict[str, str]:
        """What is drawn, by id of a check."""
        expected = set(self.planted.expected[self.name])
        of_others = {id for ids in self.planted.expected.values() for id in ids} - expected
        cells = {}
        for id, verdict in self.planted.verdicts.items():
            if id in of_others:
                continue
            if id in expected:
                cells[id] = SEEN if verdict == "fail" else MISSED
            elif id in self.planted.by_chance:
                cells |= {id: BY_CHANCE} if verdict == "fail" else {}
            elif id in self.planted.wrong:
                cells[id] = {"fail": FALSE_ALARM, "pass": MISSED, "not applicable": MISSED}.get(
                    verdict, UNKNOWN
                )
        return cells

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(self.cells.values())

    def ids(self, cell: str) -> list[str]:
        return sorted(id for id, each in self.cells.items() if each == cell)

    @property
    def is_right(self) -> bool:
        """Exactly the checks that had to fail failed, each with its blame and its hint."""
        return self.record.passed

    @property
    def together_with(self) -> int:
        """How many other defects were in the lab at the same time."""
        return len(self.planted.expected) - 1


def rows(records: Iterable[Record]) -> list[Row]:
    """A row for each defect, by profile and name."""
    found = [
        Row(name, record, record.planted)
        for record in records
        if record.planted
        for name in record.planted.expected
    ]
    return sorted(found, key=lambda row: (row.planted.profile, row.name))


def never_red(found: Sequence[Row]) -> dict[str, list[str]]:
    """By profile: ids of checks that found something to examine and that no defect turned red."""
    return {
        profile: sorted(_examined(found, profile) - {id for row in of_it for id in row.ids(SEEN)})
        for profile in sorted({row.planted.profile for row in found})
        for of_it in [[row for row in found if row.planted.profile == profile]]
    }


def _examined(found: Sequence[Row], profile: str) -> set[str]:
    return {
        id
        for row in found
        if row.planted.profile == profile
        for id, verdict in row.planted.verdicts.items()
        if verdict != "not applicable"
    }


def text(records: Sequence[Record]) -> str:
    """A line for each defect, what went wrong below it, and what was never red."""
    return "".join(f"{line}\n" for line in _lines(records))


def _lines(records: Sequence[Record]) -> Iterator[str]:
    found = rows(records)
    for row in found:
        expected = len(row.planted.expected[row.name])
        mark = "✓" if row.is_right else "✗"
        told = f"{row.counts[SEEN]} of {expected} seen"
        yield f"{mark} {row.planted.profile:<11} {row.name:<50} {told:>14}"
        for cell in (MISSED, FALSE_ALARM, UNKNOWN, BY_CHANCE):
            for id in row.ids(cell):
                yield f"    {cell}: {id}"
        if not row.is_right and not any(row.counts[cell] for cell in (MISSED, FALSE_ALARM, UNKNOWN)):
            yield from _wrapped(row.record.message.partition("\n")[0] or "it failed without a word")
    for record in records:
        if not record.planted and not record.passed:
            yield f"✗ {record.test}"
            yield from _wrapped(record.message.partition("\n")[0] or "it failed without a word")
    right = sum(row.is_right for row in found)
    yield f"{right} of {len(found)} defects turned exactly their checks red"
    for profile, ids in never_red(found).items():
        number = len(_examined(found, profile))
        yield f"{profile}: {len(ids)} of {number} checks that were run were turned red by none of these"


def _wrapped(message: str) -> list[str]:
    return textwrap.wrap(message, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def write(records: Sequence[Record], folder: Path) -> Path:
    """Write matrix.html into the folder; returns the file. Raises OSError."""
    file = folder / "matrix.html"
    whole.put(file, document(records))
    return file


def document(records: Sequence[Record]) -> str:
    """The page: a table a profile, its columns the checks that some defect turned red or should have."""
    found = rows(records)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    tables = {
        profile: ([row for row in found if row.planted.profile == profile], _columns(found, profile))
        for profile in sorted({row.planted.profile for row in found})
    }
    return environment.get_template("page.html.j2").render(
        style=Markup((_TEMPLATES / "style.css").read_text()),
        tables=tables,
        rows=found,
        others=[record for record in records if not record.planted],
        never_red=never_red(found),
        minutes=round(sum(record.duration_s for record in records) / 60),
        finished=max((record.finished for record in records), default=""),
        marks={SEEN: "●", MISSED: "○", FALSE_ALARM: "✗", UNKNOWN: "?", BY_CHANCE: "·"},
    )


def _columns(found: Iterable[Row], profile: str) -> dict[str, list[str]]:
    """By area: ids of the checks that have something to draw."""
    ids = sorted({id for row in found if row.planted.profile == profile for id in row.cells})
    areas: dict[str, list[str]] = {}
    for id in ids:
        areas.setdefault(id.partition(".")[0], []).append(id)
    return areas
