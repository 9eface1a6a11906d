"""Pictures that checks took, as data inside the page."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harbor_verify.reports.model import Run

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
LARGEST_BYTES = 2 * 1024 * 1024
MOST = 12
"""Pictures inside the page; the others are named."""


@dataclass(frozen=True)
class Screenshot:
    """`data` is a data: URL; empty where the file is too large, or cannot be read."""

    check: str
    file: str
    caption: str
    data: str


def of_run(run: Run, folder: Path) -> list[Screenshot]:
    """All pictures in the folders of the run's checks."""
    screenshots: list[Screenshot] = []
    for check, file in _files(run, folder):
        data = ""
        if len(screenshots) < MOST and file.stat().st_size <= LARGEST_BYTES:
            encoded = base64.b64encode(file.read_bytes()).decode()
            data = f"data:{_TYPES[file.suffix.lower()]};base64,{encoded}"
        caption = file.stem.replace("-", " ").replace("_", " ")
        screenshots.append(Screenshot(check, str(file.relative_to(folder)), caption, data))
    return screenshots


def _files(run: Run, folder: Path) -> Iterator[tuple[str, Path]]:
    for result in run.results:
        place = folder / "checks" / result.id
        if place.is_dir():
            for file in sorted(place.rglob("*")):
                if file.suffix.lower() in _TYPES and file.is_file():
                    yield result.id, file
