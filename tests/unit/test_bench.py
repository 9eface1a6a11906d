"""What the measurements measure: programs that are known, and runs that are written by hand."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench import outages, processes, suite
from bench.memory import most_memory_mib
from harbor_verify.reports import json_file
from harbor_verify.reports.model import CheckResult, Run, Verdict

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOLD = "x = bytearray({} << 20); import time; time.sleep(0.5)"


def test_memory_of_a_program_is_its_own_and_that_of_what_it_starts_is_told_apart(tmp_path):
    other = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD.format(150)!r}])"
    used = processes.watch(
        [sys.executable, "-c", f"{HOLD.format(60)}; {other}; raise SystemExit(3)"], tmp_path
    )
    assert used.code == 3
    assert 60 < used.memory_mib < 110
    assert 150 < used.other_mib < 200
    assert used.other_name.startswith("python")
    assert used.wall_s >= 1


def test_cpu_is_of_the_program_that_works_and_not_of_one_that_waits(tmp_path):
    work = "import time; ends = time.process_time() + 0.5\nwhile time.process_time() < ends: pass"
    busy = processes.watch([sys.executable, "-c", work], tmp_path)
    idle = processes.watch([sys.executable, "-c", "import time; time.sleep(0.5)"], tmp_path)
    assert busy.cpu_s > 0.35
    assert idle.cpu_s < 0.25


def test_memory_of_another_process_is_not_that_of_this_one():
    assert most_memory_mib(1) != most_memory_mib()
    with pytest.raises(FileNotFoundError):
        most_memory_mib(2**22 + 1)


def run_of(*spans):
    """Of checks that begin so many seconds after noon, and take so long."""
    results = [
        CheckResult(
            id=f"a.c{number}",
            area="a",
            claim="",
            hint="",
            source="",
            verdict=Verdict.PASS,
            started=NOON + timedelta(seconds=begins),
            duration_s=lasts,
        )
        for number, (begins, lasts) in enumerate(spans)
    ]
    return Run(
        id="r",
        started=NOON,
        provider="lab",
        url="http://h",
        namespace="h",
        profile="harbor-2",
        target=[],
        selected=[],
        results=results,
    )


def test_what_is_neither_discovery_nor_a_check_is_overhead():
    # 1 s of imports before the run, 4 s of discovery, checks of 3 and 2 s, 1 s between them, 1 s of report.
    times = suite.times_of(run_of((8, 2), (4, 3)), 12)
    assert (times.discovery_s, times.checks_s) == (4, 5)
    assert times.overhead_percent == pytest.approx(25)


def test_checks_that_overlap_are_counted_once_and_those_that_did_not_run_not_at_all():
    times = suite.times_of(run_of((2, 4), (3, 1), (5, 3), (0, 0)), 10)
    assert (times.discovery_s, times.checks_s) == (2, 6)


def test_without_a_check_there_is_nothing_to_tell():
    with pytest.raises(ValueError, match="no check ran"):
        suite.times_of(run_of((0, 0)), 10)


def test_the_slowest_checks_are_told_the_slowest_first(capsys):
    suite.tell_slowest(run_of(*((n, n + 1) for n in range(12))))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[-1] for line in lines] == [f"a.c{n}" for n in range(11, 1, -1)]
    assert lines[0].split()[:2] == ["12.0", "s"]


def broken(name, *results, area="failover", stopped=""):
    """A run, of (check, verdict, outage in ms)."""
    run = run_of(*[(0, 1)] * len(results))
    run.id, run.stopped = name, stopped
    run.results = [
        replace(each, id=f"{area}.{check}", area=area, verdict=verdict, measured={"outage_ms": outage_ms})
        for each, (check, verdict, outage_ms) in zip(run.results, results, strict=True)
    ]
    return run


def test_outages_are_of_the_newest_whole_runs_and_of_what_passed(tmp_path):
    passed, failed = Verdict.PASS, Verdict.FAIL
    for run in (
        broken("1", ("kill", passed, 9000), ("pause", passed, 9000)),
        broken("2", ("kill", passed, 100), ("pause", failed, 9000)),
        broken("3", ("kill", passed, 300), ("pause", passed, 700)),
        broken("4", ("kill", passed, 9000)),
        broken("5", ("kill", passed, 9000), ("pause", passed, 9000), area="sessions"),
        broken("6", ("kill", passed, 9000), ("pause", passed, 9000), stopped="Ctrl-C"),
    ):
        folder = tmp_path / "runs" / run.id
        folder.mkdir(parents=True)
        json_file.write(run, folder / "report.json")
    (tmp_path / "runs" / "7").mkdir()
    kill, pause = outages.figures(outages.newest(2, tmp_path))
    assert (kill.name, kill.median, kill.spread()) == (
        "failover.kill, 2 times: longest outage",
        200,
        "100 to 300",
    )
    assert list(pause.values) == [700]
    with pytest.raises(RuntimeError, match=r"3 whole runs .* not 4"):
        outages.newest(4, tmp_path)
