"""What a program uses while it runs, and what the programs do that it starts."""

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.memory import most_memory_mib

_LOOK_S = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """`memory_mib` and `cpu_s` are of the program itself, seen last before its end; `other_mib` is what the largest of
    the programs had that it started, and `other_name` which that was.
    """

    code: int
    wall_s: float
    cpu_s: float
    memory_mib: float
    other_mib: float
    other_name: str


def watch(argv: Sequence[str], folder: Path) -> Used:
    """Run a program, whose output nobody sees, in `folder`, and look at it every 0.1 s until it ends."""
    begun_s, others = time.monotonic(), {"": 0.0}
    memory_mib = cpu_s = 0.0
    with subprocess.Popen(
        argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        code = None
        while code is None:
            with suppress(OSError):
                memory_mib = max(memory_mib, most_memory_mib(program.pid))
                cpu_s = max(cpu_s, _cpu_s(program.pid))
            for pid in _below(program.pid):
                with suppress(OSError):
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                    others[name] = max(others.get(name, 0.0), most_memory_mib(pid))
            with suppress(subprocess.TimeoutExpired):
                code = program.wait(_LOOK_S)
    largest = max(others, key=lambda name: others[name])
    return Used(code, time.monotonic() - begun_s, cpu_s, memory_mib, others[largest], largest)


def _cpu_s(pid: int) -> float:
    """Of all its threads, but not of the programs that it started. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _below(pid: int) -> list[int]:
    """The processes that it started, and those that these did."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for word in file.read_text().split():
                found += [int(word), *_below(int(word))]
    return found
