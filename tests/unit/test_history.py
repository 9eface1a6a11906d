"""A history keeps what happened, in order, from many threads, and comes back from its file as it was."""

import json
import threading
import time

import pytest

from harbor_verify.errors import HarnessError
from harbor_verify.history import History, NotAHistory, Outcome, Recorder, fingerprint, judged, read


def test_what_is_recorded_is_read_back_as_it_was(tmp_path):
    file = tmp_path / "history.jsonl"
    with Recorder(file, run="r1") as recorder:
        index = recorder.invoke(client="login@ui-0", kind="login", replica="ui-0", value={"user": "admin"})
        recorder.event("pod-kill ui-0", "inject", {"uid": "u1"})
        recorder.complete(index, Outcome.OK, value={"session": "abc"}, status=200)
        index = recorder.invoke(client="pull@ui-0", kind="pull", replica="ui-0")
        recorder.complete(index, Outcome.INFO, error="TargetUnreachable", asked=False)
        index = recorder.invoke(client="pull@ui-0", kind="pull", replica="ui-0")
        recorder.complete(index, Outcome.FAIL, error="UnexpectedAnswer", status=503)
        recorder.invoke(client="push@ui-0", kind="push", replica="ui-0")
        kept = recorder.history()
    found = read(file)
    assert found.operations == kept.operations
    assert found.events == kept.events
    login, unasked, failed, pending = found.operations
    assert login.value == {"user": "admin", "session": "abc"}
    assert not unasked.asked
    assert (failed.outcome, failed.status, failed.error) == (Outcome.FAIL, 503, "UnexpectedAnswer")
    assert pending.outcome is None
    assert pending.duration_ms is None


def test_each_line_has_a_monotonic_time_and_the_same_moment_in_utc(tmp_path):
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:
        recorder.event("ui", "pod-ready")
    begin, ready = (json.loads(line) for line in file.read_text().splitlines())
    assert begin["schema"] == "harbor-verify/history/1"
    assert ready["at_ns"] > 0
    assert ready["at"].endswith("+00:00")


def test_times_never_run_backwards_whichever_thread_writes(tmp_path):
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:

        def work(client: str) -> None:
            for _ in range(200):
                index = recorder.invoke(client=client, kind="pull", replica="ui-0")
                recorder.complete(index, Outcome.OK)

        threads = [threading.Thread(target=work, args=(f"pull@ui-{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    times = [json.loads(line)["at_ns"] for line in file.read_text().splitlines()[1:]]
    assert len(times) == 8 * 200 * 2
    assert times == sorted(times)
    assert all(op.outcome is Outcome.OK for op in read(file).operations)


def test_an_operation_ends_once():
    recorder = Recorder()
    index = recorder.invoke(client="a", kind="pull", replica="ui-0")
    recorder.complete(index, Outcome.OK)
    with pytest.raises(HarnessError, match="ended twice"):
        recorder.complete(index, Outcome.FAIL)


def test_a_line_that_a_killed_run_cut_off_is_left_out(tmp_path):
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:
        recorder.invoke(client="a", kind="pull", replica="ui-0")
    file.write_text(file.read_text() + '{"type": "ok", "ind')
    assert [op.outcome for op in read(file).operations] == [None]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "first line"),
        ('{"type": "history"', "first line"),
        ("[]", "first line"),
        ("\x00", "first line"),
        ('{"type": "history", "schema": "other/1"}\n', "other/1"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path, text, complaint):
    file = tmp_path / "history.jsonl"
    file.write_text(text)
    with pytest.raises(NotAHistory, match=complaint):
        read(file)


@pytest.mark.parametrize(
    "line", ["nonsense", '{"type": "ok", "index": 7, "at_ns": 1}', "{}", '{"type":"ok","ind']
)
def test_a_line_that_is_none_is_left_out_and_counted(tmp_path, line):
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:
        recorder.complete(recorder.invoke(client="c", kind="login", replica="web-0", uid="u"), Outcome.OK)
    with file.open("a") as more:
        more.write(f"{line}\n")
    history = read(file)
    assert [(op.outcome, op.uid) for op in history.operations] == [(Outcome.OK, "u")]
    assert history.unreadable == 1


def test_an_old_history_is_not_written_over(tmp_path):
    file = tmp_path / "history.jsonl"
    Recorder(file).close()
    with pytest.raises(FileExistsError):
        Recorder(file)


def test_a_thread_that_comes_late_finds_no_file_and_no_error(tmp_path):
    file = tmp_path / "history.jsonl"
    recorder = Recorder(file)
    index = recorder.invoke(client="a", kind="pull", replica="ui-0")
    recorder.close()
    recorder.complete(index, Outcome.OK)
    assert read(file).operations[0].outcome is None


def test_recording_costs_less_than_a_millisecond_an_operation(tmp_path):
    with Recorder(tmp_path / "history.jsonl") as recorder:
        begin = time.perf_counter()
        for _ in range(500):
            index = recorder.invoke(client="a", kind="pull", replica="ui-0", value={"digest": "sha256:0"})
            recorder.complete(index, Outcome.OK, status=200)
        assert (time.perf_counter() - begin) / 500 < 0.001


def test_a_fingerprint_tells_cookies_apart_and_is_none():
    first, second = fingerprint("0123456789abcdef"), fingerprint("0123456789abcdee")
    assert first != second
    assert len(first) == 12
    assert first not in "0123456789abcdef"


@pytest.mark.parametrize("healed", [(True, False), (False, True)])
def test_a_disruption_that_comes_twice_is_two_disruptions(healed):
    recorder = Recorder()
    for heals in healed:
        recorder.event("pod-kill ui-0", "inject")
        recorder.event("pod-kill ui-0", "proven")
        if heals:
            recorder.event("pod-kill ui-0", "healed")
    found = recorder.history().disruptions()
    assert [disruption.healed is not None for disruption in found] == list(healed)
    assert [disruption.proven is not None for disruption in found] == [True, True]


def test_an_empty_history_has_nothing_in_it():
    empty = History()
    assert empty.end_ns == 0
    assert empty.disruptions() == []
    assert empty.of("a") == []


def test_each_history_has_what_was_judged_by_it_beside_it(tmp_path):
    names = [judged.beside(tmp_path / name).name for name in ("history.jsonl", "history-2.jsonl")]
    assert names == [judged.FILE, "judgement-2.json"]
    assert judged.beside(tmp_path / "history.jsonl").parent == tmp_path
