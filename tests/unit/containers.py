"""What a container answers that is asked what it sees (harbor_verify/model/drift.py) or for a file."""

import hashlib
import time
from collections.abc import Mapping

from harbor_verify.clients.pod_channel import CommandInPodFailed
from harbor_verify.model.drift import LOOK

BEFORE, STARTED, LATER = "2025_12_31_00_00_00", "2026-01-01T00:00:00Z", "2026_01_01_00_10_00"


def answer(
    argv: list[str],
    files: Mapping[str, str | None],
    environment: Mapping[str, str | None],
    *,
    written: str = BEFORE,
    ahead_s: float = 0,
) -> str:
    """`files` by path and `environment`, None for what is not there; `written`: when the kubelet wrote folders."""
    if argv[0] == "cat":
        text = files.get(argv[1])
        if text is None:
            raise CommandInPodFailed(f"`cat`: exit code 1 cat: {argv[1]}: No such file or directory")
        return text
    if argv[2] != LOOK:
        raise AssertionError(f"nobody runs {argv}")
    folders, paths = argv[4 : argv.index("--")], argv[argv.index("--") + 1 :]
    digests = [
        f"{hashlib.sha256(text.encode()).hexdigest()}  {path}"
        for path in paths
        if (text := files.get(path)) is not None
    ]
    lines = [f"{time.time() + ahead_s:.0f}", *(f"..{written}.123 {folder}" for folder in folders)]
    variables = [f"{name}={value}\0" for name, value in environment.items() if value is not None]
    return "\n".join([*lines, "==", *digests, "==", "".join(variables)])
