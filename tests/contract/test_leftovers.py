"""What killed contract tests left running is ended by the next, and nothing else."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.machines.machine import start_time
from tests.contract.programs import HOST, Program, end_leftovers, free_port, is_leftover, wait

REPOSITORY = Path(__file__).parents[2]
KILLED_TESTS = """
import os, signal, sys
from pathlib import Path
from tests.contract.programs import Program
folder, port, *argv = sys.argv[1:]
program = Program("left", argv, int(port), Path(folder))
program.start() if port != "0" else program.launch()
print(program.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_killed_tests(folder: Path, port: int, *argv: str) -> int:
    """Its process number. Port 0: it listens on none."""
    words = [sys.executable, "-c", KILLED_TESTS, str(folder), str(port), *argv]
    done = subprocess.run(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return int(done.stdout)


@pytest.fixture
def others(tmp_path):
    """A process of this run, and one that no tests started."""
    own = Program("own", ["sleep", "300"], 0, tmp_path)
    own.launch()
    foreign = subprocess.Popen(["sleep", "300"])
    yield [own.process, foreign]
    own.end()
    foreign.kill()
    foreign.wait()


def test_a_program_and_what_it_started_are_ended_and_those_of_others_are_not(tmp_path, others):
    started = tmp_path / "started"
    left = left_by_killed_tests(tmp_path, 0, "setsid", "sh", "-c", f"sleep 300 & echo $! > {started}; wait")
    wait(lambda: started.exists() and started.read_text().endswith("\n"), "it has started another")
    both = [left, int(started.read_text())]
    assert all(map(is_leftover, both))

    end_leftovers()

    assert [start_time(pid) for pid in both] == [None, None]
    assert [process.poll() for process in others] == [None, None]


def test_a_program_that_writes_over_its_environment_is_found_too(tmp_path):
    port = free_port()
    left = left_by_killed_tests(
        tmp_path, port, "redis-server", "--bind", HOST, "--port", str(port), "--save", ""
    )
    assert is_leftover(left)

    end_leftovers()

    assert start_time(left) is None


def test_a_frozen_program_is_ended(tmp_path):
    left = left_by_killed_tests(tmp_path, 0, "sh", "-c", "kill -STOP $$; sleep 300")
    wait(lambda: Path(f"/proc/{left}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it is frozen")

    end_leftovers()

    assert start_time(left) is None
