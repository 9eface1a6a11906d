"""Log lines on standard output, in the form of Harbor's own: time, level, message."""

import os
import sys
import time

_LEVELS = ("debug", "info", "warning", "error", "fatal")
_least = 1


def configure() -> None:
    """Take the least level that is written from LOG_LEVEL; a word that is no level means info."""
    global _least
    wanted = os.environ.get("LOG_LEVEL", "").lower()
    _least = _LEVELS.index(wanted) if wanted in _LEVELS else _LEVELS.index("info")


def debug(message: str) -> None:
    _write("debug", message)


def info(message: str) -> None:
    _write("info", message)


def warning(message: str) -> None:
    _write("warning", message)


def error(message: str) -> None:
    _write("error", message)


def fatal(message: str) -> None:
    _write("fatal", message)


def _write(level: str, message: str) -> None:
    if _LEVELS.index(level) >= _least:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sys.stdout.write(f"{moment} [{level.upper()}] {message}\n")
        sys.stdout.flush()
