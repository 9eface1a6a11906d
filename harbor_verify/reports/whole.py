"""Files that are there whole, or as they were before: who reads a report never reads half of one."""

from contextlib import suppress
from pathlib import Path


def put(file: Path, text: str) -> None:
    """Write it in the place of the file. Raises OSError, which names the file."""
    partial = file.with_name(f".{file.name}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as failed:
        with suppress(OSError):
            partial.unlink()
        raise OSError(failed.errno, failed.strerror, str(file)) from failed
