"""What `make matrix` has seen: a file for each test, so that a run that was interrupted goes on where it was."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harbor_verify.reports import whole
from lab import settings

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
    """Of which state of this software: `state_of_code()` then."""
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


def state_of_code() -> str:
    """A digest of all that the outcome of a test of the lab depends on, as it is in this checkout."""
    digest = hashlib.sha256()
    for file in _files():
        digest.update(f"{file.relative_to(settings.REPOSITORY)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files() -> Iterable[Path]:
    for name in _CODE:
        place = settings.REPOSITORY / name
        found = [place] if place.is_file() else place.rglob("*")
        yield from sorted(file for file in found if file.is_file() and "__pycache__" not in file.parts)
