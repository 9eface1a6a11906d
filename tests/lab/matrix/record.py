"""What `make matrix` has seen: a file for each test, so that a run that was interrupted goes on where it was."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harbor_verify.reports import whole
from lab import settings

_DEFECTS = settings.REPOSITORY / "lab" / "defects"
FOLDER = settings.REPOSITORY / "reports" / "matrix"
_CODE = ("deploy", "fixtures", "harbor_verify", "lab", "suites", "tests/lab", "requirements.txt")


@dataclass(frozen=True)
class Planted:
    """What the suite said of defects that were in the lab together."""

    profile: str
    layout: str
    expected: Mapping[str, tuple[str, ...]]
    """By defect: ids of the checks that had to fail."""
    by_chance: tuple[str, ...]
    """Ids of the checks that may fail or not."""
    verdicts: Mapping[str, str]
    """By id of a check that was run."""
    wrong: Mapping[str, str]
    """By id of a check with another verdict than it should have: the one that it should have."""


@dataclass(frozen=True)
class Record:
    """One test of the lab that has ended."""

    test: str
    """pytest's id of it."""
    passed: bool
    finished: str
    """ISO 8601, UTC."""
    duration_s: float
    code: str
    """Of which state of this software: `Code.state` then."""
    message: str = ""
    """Why it failed, in one paragraph."""
    planted: Planted | None = None
    """None for a test that plants nothing."""


def save(record: Record, folder: Path) -> None:
    """Write a record in place of an earlier one of the same test. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{hashlib.sha256(record.test.encode()).hexdigest()[:16]}.json"
    whole.put(file, json.dumps(dataclasses.asdict(record), indent=1) + "\n")


def load(folder: Path) -> list[Record]:
    """All records, by test; what cannot be read counts as not seen. An absent folder holds none."""
    return sorted(
        (each for file in folder.glob("*.json") if (each := _read(file))), key=lambda each: each.test
    )


def _read(file: Path) -> Record | None:
    try:
        told = json.loads(file.read_text())
        planted = told.pop("planted")
        return Record(**told, planted=Planted(**planted) if planted else None)
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclass(frozen=True)
class Code:
    """All that the outcome of a test of the lab depends on."""

    digests: Mapping[Path, str]
    """By file."""

    @classmethod
    def read(cls) -> Self:
        """As it is in this checkout."""
        return cls({file: hashlib.sha256(file.read_bytes()).hexdigest() for file in _files()})

    def state(self, planted: Collection[Path] | None = None) -> str:
        """A digest of it. For a test that says what it plants: of defects only these modules, and what they use."""
        files = self.digests.keys()
        if planted is not None:
            files -= set(_DEFECTS.glob("*/*.py")) - _with_used(planted)
        told = "".join(
            f"{file.relative_to(settings.REPOSITORY)} {self.digests[file]}\n" for file in sorted(files)
        )
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def _with_used(modules: Collection[Path]) -> set[Path]:
    found, left = set[Path](), list(modules)
    while left:
        file = left.pop()
        found.add(file)
        text = file.read_text()
        used = {other for other in file.parent.glob("*.py") if f".{other.stem} import" in text}
        left += used - found
    return found


def _files() -> Iterable[Path]:
    for name in _CODE:
        place = settings.REPOSITORY / name
        found = [place] if place.is_file() else place.rglob("*")
        yield from sorted(file for file in found if file.is_file() and "__pycache__" not in file.parts)
