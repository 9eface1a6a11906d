"""The pulse of the machine that asks: a thread that sleeps a short while, again and again, and notes how late it wakes.

Source: Linux, Documentation/accounting/psi.rst (/proc/pressure/cpu: `some … total=` microseconds), proc(5) (/proc/stat:
the eighth figure of `cpu` is steal, in clock ticks of all CPUs together).
"""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from harbor_verify.background import Background
from harbor_verify.history import Recorder
from harbor_verify.history.pulse import PULSE

_SLEEP_S = 0.05
_EVERY_S = 0.5
_STEAL = 8


class Pulse(Background):
    """For the length of the block, events of harbor_verify/history/pulse.py, twice a second."""

    def __init__(self, recorder: Recorder, *, proc: Path = Path("/proc")) -> None:
        """`proc`: where the kernel tells of pressure and steal; what it does not tell is left out."""
        super().__init__("pulse")
        self._recorder, self._proc = recorder, proc

    def _run(self) -> None:
        began_s, late_s, before = time.monotonic(), 0.0, self._kernel_ms()
        ended = False
        while not ended:
            slept_from_s = time.monotonic()
            ended = self._stop.wait(_SLEEP_S)
            now_s = time.monotonic()
            late_s += 0.0 if ended else max(0.0, now_s - slept_from_s - _SLEEP_S)
            if ended or now_s - began_s >= _EVERY_S:
                kernel_ms = self._kernel_ms()
                since = {name: round(kernel_ms[name] - before[name], 3) for name in kernel_ms.keys() & before}
                told = {"ms": round((now_s - began_s) * 1000, 3), "late_ms": round(late_s * 1000, 3)}
                self._recorder.event("suite", PULSE, told | since)
                began_s, late_s, before = now_s, 0.0, kernel_ms

    def _kernel_ms(self) -> Mapping[str, float]:
        """What the kernel counts, since it began."""
        counted: dict[str, float] = {}
        if pressure := re.search(r"^some .*\btotal=(\d+)", self._text("pressure/cpu"), re.MULTILINE):
            counted["stalled_ms"] = int(pressure[1]) / 1000
        line = self._text("stat").partition("\n")[0].split()
        if len(line) > _STEAL and line[0] == "cpu":
            ticks = int(line[_STEAL]) / os.sysconf("SC_CLK_TCK")
            counted["stolen_ms"] = ticks * 1000 / (os.cpu_count() or 1)
        return counted

    def _text(self, name: str) -> str:
        try:
            return (self._proc / name).read_text()
        except OSError:
            return ""
