"""Where the settings are kept: a JSON file, passwords encrypted."""

import json
import threading
from pathlib import Path

from ... import log
from ...web.response import go_json
from . import encryption
from .keys import ENCRYPTED, Settings


class Store:
    """Raises OSError where the file cannot be read or written, BadKey where the key is none."""

    def __init__(self, file: Path, key_file: Path) -> None:
        self._file = file
        self._key_file = key_file
        self._lock = threading.Lock()
        if not file.exists():
            log.info(f"the configuration file {file} does not exist, creating it...")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")

    def read(self) -> Settings | None:
        """The settings with passwords in clear; None when nothing was ever written."""
        with self._lock:
            return self._read()

    def write(self, settings: Settings) -> None:
        with self._lock:
            self._write(settings)

    def merge(self, settings: Settings) -> None:
        with self._lock:
            self._write((self._read() or {}) | settings)

    def _read(self) -> Settings | None:
        text = self._file.read_text()
        if not text:
            return None
        key = self._key_file.read_bytes()
        kept = json.loads(text)
        return kept | {name: encryption.decrypt(kept[name], key) for name in ENCRYPTED if name in kept}

    def _write(self, settings: Settings) -> None:
        key = self._key_file.read_bytes()
        sealed = {name: encryption.encrypt(settings[name], key) for name in ENCRYPTED if name in settings}
        partial = self._file.with_suffix(".partial")
        partial.write_text(go_json(dict(sorted((settings | sealed).items()))))
        partial.rename(self._file)
