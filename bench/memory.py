"""How much memory a process has had at most."""

from pathlib import Path


def most_memory_mib(pid: int | str = "self") -> float:
    """Of this process, or another: what getrusage says began with that of the one that started it.

    0 for one that has just ended. Raises FileNotFoundError, ProcessLookupError for one that is gone.
    Source: proc(5), VmHWM.
    """
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status.get("VmHWM", "0 kB").split()[0]) / 1024
