"""Programs that end, programs that go on, and how the lab knows them again."""

import os
import subprocess
import sys
import threading
import time

import pytest

from lab import command, settings, waiting
from lab.errors import CommandFailed, Interrupted, LabError, NotReady
from lab.machines import machine


@pytest.fixture
def uninterrupted():
    yield
    command.INTERRUPTED.clear()


def test_a_failed_program_is_shown_so_that_it_can_be_run_again_by_hand():
    with pytest.raises(CommandFailed) as failed:
        command.run(["sh", "-c", "echo half done; echo 'no room' >&2; exit 3"])
    assert str(failed.value) == (
        "exit code 3 from: sh -c 'echo half done; echo '\"'\"'no room'\"'\"' >&2; exit 3'\nhalf done\nno room"
    )


def test_a_missing_program_is_named():
    with pytest.raises(LabError, match="no-such-program is not installed"):
        command.run(["no-such-program", "--fast"])


def test_a_program_that_takes_too_long_is_ended_with_its_children():
    begun = time.monotonic()
    with pytest.raises(LabError, match=r"still running after 0\.3 s"):
        command.run(["sh", "-c", "sleep 60 & wait"], timeout_s=0.3)
    assert time.monotonic() - begun < 30


def test_an_interrupt_ends_what_runs_and_lets_nothing_start(uninterrupted):
    threading.Timer(0.3, command.interrupt).start()
    with pytest.raises(Interrupted):
        command.run(["sleep", "60"])
    with pytest.raises(Interrupted, match="not started"):
        command.run(["true"])
    with pytest.raises(Interrupted, match="no longer waiting: rain"):
        waiting.wait_until("rain", not_yet, deadline_s=60)


def test_a_program_ends_with_the_process_that_runs_it(tmp_path):
    note = tmp_path / "pid"
    program = f"from lab.command import run; run(['sh', '-c', 'echo $$ > {note}; exec sleep 60'])"
    runner = subprocess.Popen([sys.executable, "-c", program], cwd=settings.REPOSITORY)

    def started() -> int:
        if not note.exists() or not note.read_text().endswith("\n"):
            raise waiting.NotYet("it has not begun")
        return int(note.read_text())

    pid = waiting.wait_until("the program runs", started, deadline_s=20, interval_s=0.05)
    runner.kill()
    runner.wait()

    def ended() -> None:
        if machine.start_time(pid):
            raise waiting.NotYet("it still runs")

    waiting.wait_until("the program has ended", ended, deadline_s=5, interval_s=0.05)


def not_yet() -> None:
    raise waiting.NotYet("blue sky")


def test_a_wait_says_what_it_saw_last():
    with pytest.raises(NotReady, match=r"rain: not so after 0\.2 s \(last seen: blue sky\)"):
        waiting.wait_until("rain", not_yet, deadline_s=0.2, interval_s=0.05)


def test_a_wait_does_not_swallow_a_bug():
    with pytest.raises(ZeroDivisionError):
        waiting.wait_until("sum", lambda: 1 / 0, deadline_s=5)


def test_a_recorded_process_is_known_only_while_that_very_process_lives(tmp_path):
    file = tmp_path / "sleeper"
    sleeper = subprocess.Popen(["sleep", "60"])
    machine.record_process(file, sleeper.pid)
    assert machine.recorded_process(file) == sleeper.pid

    sleeper.kill()
    sleeper.wait()
    assert machine.recorded_process(file) is None

    # The same number with another start time is another process.
    file.write_text(f"{os.getpid()} 1")
    assert machine.recorded_process(file) is None
