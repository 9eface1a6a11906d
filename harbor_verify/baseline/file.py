"""The file of a baseline: JSON, written as it is read from Harbor, whole or not at all, and for its owner's eyes only.

docs/baseline.schema.json is its JSON Schema.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from harbor_verify.errors import SettingsError

SCHEMA = "harbor-verify/baseline/1"


def is_below(key: str, unread: str) -> bool:
    """Whether what stands under a key is not known when `unread` (as in `Part.unread`) could not be read."""
    return unread in ("", key) or (unread.endswith("/") and key.startswith(unread))


@dataclass
class Part:
    """What was kept of a part. `unread`: by key, what could not be read of it, and why; the key `` is the whole of it.

    A key of `unread` that ends in a slash stands for all that is below it.
    """

    entries: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def whole_unread(self) -> str:
        """Why the part could not be read to its end; empty: it was."""
        return self.unread.get("", "")

    def why_unread(self, key: str) -> str:
        """Why it is not known what stands under a key; empty: it is."""
        return next((why for each, why in self.unread.items() if is_below(key, each)), "")


@dataclass(frozen=True)
class Baseline:
    """A baseline that was kept. `about` says of which Harbor, and when; `salt` is that of its fingerprints."""

    about: Mapping[str, Any]
    salt: str
    parts: Mapping[str, Part]

    def part(self, name: str) -> Part:
        """A part that this version knows and the one that kept it did not is unread; logins are kept where some were
        given.
        """
        if name == "logins" and name not in self.parts:
            return Part()
        return self.parts.get(name) or Part(unread={"": "the baseline has no such part"})


class Writer:
    """Writes one part after the other, entry by entry: no more than an entry is held in memory."""

    def __init__(self, stream: TextIO, about: Mapping[str, Any], salt: str) -> None:
        self._stream = stream
        head = json.dumps({"schema": SCHEMA, "about": about, "salt": salt}, ensure_ascii=False, indent=1)
        stream.write(f'{head.removesuffix("}").rstrip()},\n "parts": {{')
        self._first = True

    @contextmanager
    def part(self, name: str) -> Iterator["_PartWriter"]:
        self._stream.write(f'{"" if self._first else ","}\n  {json.dumps(name)}: {{"entries": {{')
        self._first = False
        writer = _PartWriter(self._stream)
        yield writer
        unread = json.dumps(writer.unread, ensure_ascii=False)
        self._stream.write(f'{"" if writer.is_empty else chr(10) + "   "}}}, "unread": {unread}}}')

    def close(self) -> None:
        self._stream.write("\n }\n}\n")


class _PartWriter:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.is_empty = True
        self.unread: dict[str, str] = {}

    def add(self, key: str, value: Any) -> None:
        lead = "" if self.is_empty else ","
        self.is_empty = False
        self._stream.write(f"{lead}\n    {json.dumps(key)}: {json.dumps(value, sort_keys=True)}")


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A stream whose content takes the place of the file at the end of the block; until then, and when the block
    fails, the file stays as it was. Only its owner may read it (mode 0600). Raises SettingsError.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), 0o600)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except OSError as error:
        _remove(name)
        raise SettingsError(f"{path} cannot be written: {error}") from error
    except BaseException:
        _remove(name)
        raise


def load(path: Path) -> Baseline:
    """Raises SettingsError where it is not there, or no baseline of a schema that this version knows."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as a baseline: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise SettingsError(
            f"{path} is no baseline that this version knows: its schema is {schema!r}, not {SCHEMA!r}"
        )
    try:
        parts = {
            str(name): Part(dict(part["entries"]), dict(part["unread"]))
            for name, part in document["parts"].items()
        }
        bytes.fromhex(document["salt"])
        return Baseline(dict(document["about"]), document["salt"], parts)
    except (KeyError, ValueError, TypeError, AttributeError) as wrong:
        raise SettingsError(f"{path} is damaged: {wrong!r}") from wrong


def _remove(name: str) -> None:
    with suppress(OSError):
        Path(name).unlink()
