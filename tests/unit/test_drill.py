"""A restore drill: what of the pushes is in the copy, what is broken in it, and what the operator's commands did."""

import os
import time
from contextlib import contextmanager
from itertools import count
from threading import Event
from types import SimpleNamespace

import pytest

from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.result import Affected
from harbor_verify.audit.result import Result as Audit
from harbor_verify.clients.harbor import Credentials
from harbor_verify.command import main
from harbor_verify.drill import command, commands, result
from harbor_verify.drill.commands import CommandFailed
from harbor_verify.drill.comparison import compare, known_digests
from harbor_verify.drill.judgement import Became, Drill, Found, Times
from harbor_verify.drill.pushes import Push, Pushes
from harbor_verify.errors import UnexpectedAnswer
from tests.unit.fake_registry import FakeRegistry, Store

TIMES = Times(copy_began_s=100, copy_done_s=110, restored_after_s=30)
COUNTS = {"artifacts": 1, "artifacts_read": 1, "blobs": 2, "blobs_read": 2, "troubles": 0}


def found(became: str, *moments: float) -> list[Found]:
    return [
        Found(Push("p/drill", f"at-{at}", f"sha256:{at}", at), Became[became], "HTTP 404") for at in moments
    ]


def code(drill: Drill, *, rpo_budget_s: float | None = None, rto_budget_s: float | None = None) -> int:
    return drill.exit_code(rpo_budget_s=rpo_budget_s, rto_budget_s=rto_budget_s)


def test_the_recovery_point_is_the_last_push_up_to_which_all_are_there():
    drill = Drill(TIMES, found("WHOLE", 98, 99, 101, 103) + found("ABSENT", 104) + found("WHOLE", 105))
    assert drill.recovery_point_s == 103
    assert drill.rpo_s == 7
    assert code(drill) == 0
    assert code(drill, rpo_budget_s=7, rto_budget_s=30) == 0
    assert code(drill, rpo_budget_s=6.9) == 1
    assert code(drill, rto_budget_s=29) == 1


def test_a_copy_of_the_moment_at_which_it_began_has_its_whole_length_as_rpo():
    assert Drill(TIMES, found("WHOLE", 99) + found("ABSENT", 101, 109)).rpo_s == 10


def test_a_copy_that_has_every_push_loses_none():
    assert Drill(TIMES, found("WHOLE", 99, 101, 109.5)).rpo_s == 0


@pytest.mark.parametrize(
    "seen, told",
    [
        (found("ABSENT", 99), "LOST (1)"),
        (found("BROKEN", 99), "BROKEN (1)"),
        (found("BROKEN", 105), "BROKEN (1)"),
        (found("UNKNOWN", 105), "COULD NOT BE FOUND OUT (1)"),
    ],
)
def test_what_is_lost_broken_or_not_known_is_red_and_told_first(seen, told):
    drill = Drill(TIMES, found("WHOLE", 98) + seen)
    assert code(drill) == 1
    assert result.text(drill).startswith(told)
    assert "What to do: " in result.text(drill)


def test_what_was_pushed_while_the_copy_was_taken_may_be_absent():
    drill = Drill(TIMES, found("WHOLE", 98) + found("ABSENT", 101))
    assert code(drill) == 0
    assert drill.lost == []


def test_a_harbor_that_does_not_come_back_is_red():
    drill = Drill(Times(100, 110), [], unknown=["restore: exit code 3 from: ./restore.sh"])
    assert code(drill) == 1
    assert "RTO: no image came back in the time that was given." in result.text(drill)
    assert "rto_s" not in result.figures(drill)


def test_an_image_of_before_that_is_not_whole_is_red():
    broken = Affected(
        Kind.MISSING, "sha256:1", ["front door"], ["library/app"], "HTTP 404", ["library/app:1"]
    )
    assert code(Drill(TIMES, found("WHOLE", 98), audit=Audit([], [], COUNTS))) == 0
    drill = Drill(TIMES, found("WHOLE", 98), audit=Audit([broken], [], COUNTS))
    assert code(drill) == 1
    assert "library/app:1" in result.text(drill)
    assert result.document(drill)["audit"]["findings"][0]["images"] == ["library/app:1"]


def test_no_line_of_the_text_is_without_its_end():
    text = result.text(Drill(TIMES, found("WHOLE", *range(80, 100)) + found("BROKEN", *range(101, 120))))
    assert "… and 9 more, all in drill.json" in text
    assert text.endswith("\n")


def test_refusals_of_one_kind_are_told_once_with_their_count():
    drill = Drill(TIMES, [], ["403", "403", "no answer", "403"])
    assert result.document(drill)["refused"] == [
        {"answer": "403", "count": 3},
        {"answer": "no answer", "count": 1},
    ]


def test_each_push_is_read_back_and_told_by_what_it_became():
    store = Store()
    server = FakeRegistry(store)
    with server.running():
        registry = server.registry("restored")
        with Pushes(lambda: registry, "p/drill", "run", per_s=50, tell=print) as pushes:
            while len(pushes.acknowledged) < 3:
                time.sleep(0.01)
        whole, absent, broken = pushes.acknowledged[:3]
        for push in (absent, broken):
            for key in (push.digest, push.tag):
                store.manifests.pop((push.repository, key))
        seen = list(compare([whole, absent, broken], registry, frozenset({whole.digest, broken.digest})))
        assert [each.became for each in seen] == [Became.WHOLE, Became.ABSENT, Became.BROKEN]
        store.blobs.clear()
        (now,) = compare([whole], registry, frozenset())
        assert now.became is Became.BROKEN
    (silent,) = compare([whole], server.registry("gone"), frozenset())
    assert silent.became is Became.UNKNOWN


def test_pushes_that_are_refused_are_counted_and_told_and_go_on_as_after_a_copy_in_read_only_mode():
    taken, asked = Event(), count()

    class ReadOnlyForAWhile:
        def push(self, *_):
            if next(asked) < 30:
                raise UnexpectedAnswer("POST /v2/ → 403", status=403)
            taken.set()
            return "sha256:late"

    told = []
    with Pushes(ReadOnlyForAWhile, "p/drill", "run", per_s=1000, tell=told.append) as pushes:
        assert taken.wait(20)
    assert len(pushes.refused) == 30
    assert len(told) == 1
    assert "no push was taken 20 times in a row; it is tried again" in told[0]
    assert pushes.acknowledged[0].digest == "sha256:late"


def test_a_repository_that_harbor_does_not_show_has_no_digests():
    class Front:
        def tags(self, repository, credentials):
            raise UnexpectedAnswer("GET → 404", status=404)

    assert known_digests(Front(), "p/drill", Credentials("admin", "x")) == frozenset()


def run(command, tmp_path, *, timeout_s=10.0, **environment):
    return commands.run(
        "copy", command, tmp_path, {**os.environ, **environment}, timeout_s=timeout_s, tell=print
    )


def test_a_command_that_ends_well_is_timed_and_what_it_prints_is_kept(tmp_path):
    assert run("echo copied; sleep 0.3", tmp_path) >= 0.3
    assert (tmp_path / "copy.log").read_text() == "copied\n"
    assert (tmp_path / "copy.log").stat().st_mode & 0o777 == 0o600


def test_a_command_is_given_no_setting_of_the_suites(tmp_path):
    run("env", tmp_path, HARBOR_VERIFY_ADMIN_PASSWORD="marker", MINE="kept")
    printed = (tmp_path / "copy.log").read_text()
    assert "marker" not in printed
    assert "MINE=kept" in printed


def test_a_command_that_fails_is_told_with_the_end_of_what_it_printed(tmp_path):
    with pytest.raises(CommandFailed, match=r"copy: exit code 3 from: .*\n  no space left"):
        run("echo no space left; exit 3", tmp_path)


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    with pytest.raises(CommandFailed, match=r"it took longer than 0\.3 s"):
        run(f"sleep 60 & echo $! > {tmp_path}/pid; wait", tmp_path, timeout_s=0.3)
    child = int((tmp_path / "pid").read_text())
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("what the command started still runs")


def test_help_says_what_is_needed_and_what_is_not_there_is_told(capsys):
    with pytest.raises(SystemExit) as left:
        main(["drill", "--help"])
    assert left.value.code == 0
    assert "RPO" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["drill", "--copy", "true"])
    assert left.value.code == 2


@pytest.mark.parametrize("ending, code", [(CommandFailed("copy: exit code 1"), 4), (KeyboardInterrupt(), 2)])
def test_what_is_still_there_is_told_however_a_drill_ends(monkeypatch, tmp_path, capsys, ending, code):
    @contextmanager
    def reached(settings, redaction):
        yield SimpleNamespace()

    @contextmanager
    def making(live, redaction, run_id, left, *, tell):
        try:
            yield
        finally:
            left.append("project verify-drill: 500")

    def copy(*_):
        raise ending

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "reached", reached)
    monkeypatch.setattr(command, "making", making)
    monkeypatch.setattr(command, "_copy_among_pushes", copy)
    monkeypatch.setattr(command.entry, "require", lambda live: None)
    words = ["--copy", "true", "--restore", "true", "--restored-namespace", "restored"]
    assert main(["drill", "--namespace", "harbor", *words]) == code
    assert "what was made could not be removed: project verify-drill: 500" in capsys.readouterr().err
