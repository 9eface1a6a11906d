"""Workers ask at a bounded rate, tell ok from fail from unknown, never ask twice, and crash aloud."""

import threading
import time

import pytest

from harbor_verify.checkers.sessions import UNKNOWN_SESSION, WRONG_USER, no_session_lost
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import DeadlinePassed, NoAnswer, TargetUnreachable, UnexpectedAnswer, WorkerCrashed
from harbor_verify.history import Outcome, Recorder, fingerprint
from harbor_verify.workloads import Result, Work, Workers, perform
from harbor_verify.workloads.sessions import WORTH_NOTHING, Login, SessionProbe, probe_everywhere

ADMIN = Credentials("admin", "Harbor12345")
SESSION = Session("admin", "0123456789abcdef")


class Ask(Work):
    """Asks whatever the test says."""

    kind = "ask"

    def __init__(self, does=lambda: None, *, writes=False, replica="ui-0"):
        super().__init__(replica)
        self.writes, self.does, self.times = writes, does, 0

    def do(self):
        self.times += 1
        return self.does() or Result()


def raising(error):
    def does():
        raise error

    return does


class HarborOf:
    """The two calls of harbor_verify.clients.harbor.Harbor that the workloads make; answers are given one by one."""

    def __init__(self, *, sign_in=(), whoami=(), name="ui-0"):
        self.name, self.uid, self.asked = name, f"uid-of-{name}", []
        self._sign_in, self._whoami = list(sign_in), list(whoami)

    def sign_in(self, credentials):
        self.asked.append(credentials)
        return self._give(self._sign_in)

    def whoami(self, session):
        self.asked.append(session)
        return self._give(self._whoami)

    @staticmethod
    def _give(answers):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class TestOutcomes:
    @pytest.mark.parametrize(
        "error, read, write",
        [
            (NoAnswer("refused", sent=False), Outcome.FAIL, Outcome.FAIL),
            (NoAnswer("timed out", sent=True), Outcome.FAIL, Outcome.INFO),
            (UnexpectedAnswer("no", status=401), Outcome.FAIL, Outcome.FAIL),
            (UnexpectedAnswer("gateway", status=504), Outcome.FAIL, Outcome.INFO),
            (UnexpectedAnswer("odd", status=204), Outcome.FAIL, Outcome.INFO),
        ],
    )
    def test_a_write_whose_effect_nobody_knows_is_info_and_a_read_is_fail(self, error, read, write):
        recorder = Recorder()
        for writes, expected in ((False, read), (True, write)):
            done = perform(Ask(raising(error), writes=writes), recorder)
            assert done.outcome is expected
            assert done.error == type(error).__name__
            assert done.asked
            assert done.status == getattr(error, "status", None)

    def test_a_closed_way_to_harbor_says_nothing_about_harbor(self):
        done = perform(Ask(raising(TargetUnreachable("the API server is away"))), Recorder())
        assert not done.ok
        assert not done.asked

    def test_a_name_that_this_machine_cannot_look_up_says_nothing_about_harbor(self):
        about = {"request": "GET /", "cause": "gaierror"}
        done = perform(Ask(raising(NoAnswer("no answer", sent=False, about=about))), Recorder())
        assert (done.outcome, done.asked) == (Outcome.FAIL, False)

    def test_a_bug_is_raised_and_in_the_history(self):
        recorder = Recorder()
        with pytest.raises(ZeroDivisionError):
            perform(Ask(lambda: 1 / 0), recorder)
        (op,) = recorder.history().operations
        assert (op.outcome, op.error, op.asked) == (Outcome.INFO, "ZeroDivisionError", False)

    def test_no_message_gets_into_the_history(self, tmp_path):
        with Recorder(tmp_path / "history.jsonl") as recorder:
            about = {"request": "GET /", "cause": "ConnectionResetError"}
            perform(Ask(raising(NoAnswer("Cookie: secret", sent=True, about=about))), recorder)
            assert about.items() <= recorder.history().operations[-1].value.items()
        assert "secret" not in (tmp_path / "history.jsonl").read_text()


class TestWorkers:
    def test_all_together_keep_to_the_rate(self):
        recorder = Recorder()
        works = [Ask(replica=f"ui-{number}") for number in range(4)]
        begun_s = time.monotonic()
        with Workers(recorder, works, rate_per_s=40):
            while sum(work.times for work in works) < 40:
                time.sleep(0.01)
            # However busy this machine is, it is not quicker.
            assert time.monotonic() - begun_s > 0.85
        assert min(work.times for work in works) > 5
        assert all(op.ok for op in recorder.history().operations)

    def test_one_that_is_slow_holds_up_nobody_else(self):
        slow, quick = Ask(lambda: time.sleep(0.45)), Ask(replica="ui-1")
        with Workers(Recorder(), [slow, quick], rate_per_s=20):
            time.sleep(1)
        assert slow.times <= 3
        assert quick.times >= 6

    def test_what_was_missed_while_an_answer_was_slow_is_not_made_up_for(self):
        slow_once = Ask(lambda: time.sleep(0.6 if slow_once.times == 1 else 0))
        with Workers(Recorder(), [slow_once], rate_per_s=20):
            time.sleep(1)
        assert (
            slow_once.times <= 11
        )  # one, and then at most eight more; with what was missed it would be twenty

    def test_a_write_is_done_once_whatever_comes_of_it(self):
        recorder = Recorder()
        work = Ask(raising(NoAnswer("reset", sent=True)), writes=True)
        with Workers(recorder, [work], rate_per_s=10):
            time.sleep(0.35)
        assert work.times == len(recorder.history().operations)

    def test_they_stop_between_operations_at_once(self):
        done = threading.Event()
        with Workers(Recorder(), [Ask(done.set)], rate_per_s=0.01):
            assert done.wait(5)
            begin = time.monotonic()
        assert time.monotonic() - begin < 1

    def test_the_operation_under_way_is_waited_for_and_recorded(self):
        recorder, begun = Recorder(), threading.Event()

        def does():
            begun.set()
            time.sleep(0.3)

        with Workers(recorder, [Ask(does)]):
            assert begun.wait(5)
        assert [op.outcome for op in recorder.history().operations] == [Outcome.OK]

    def test_one_that_hangs_is_an_error_that_names_it_and_stays_open_in_the_history(self):
        recorder, release, begun = Recorder(), threading.Event(), threading.Event()

        def does():
            begun.set()
            release.wait(30)

        try:
            with pytest.raises(DeadlinePassed, match="ask@ui-0"):
                with Workers(recorder, [Ask(does)], stop_timeout_s=0.1):
                    assert begun.wait(5)
            assert [op.outcome for op in recorder.history().operations] == [None]
        finally:
            release.set()

    def test_a_crash_is_raised_at_the_end(self):
        with pytest.raises(WorkerCrashed, match="ask@ui-0: ZeroDivisionError") as crash:
            with Workers(Recorder(), [Ask(lambda: 1 / 0)]):
                time.sleep(0.1)
        assert isinstance(crash.value.__cause__, ZeroDivisionError)

    def test_a_crash_ends_the_waiting_for_answers(self):
        with pytest.raises(WorkerCrashed):
            with Workers(Recorder(), [Ask(lambda: 1 / 0)]) as workers:
                workers.let_each_succeed(timeout_s=30)

    def test_a_crash_does_not_hide_what_the_block_raised(self):
        crashed = threading.Event()

        def does():
            crashed.set()
            raise ZeroDivisionError

        def run():
            with Workers(Recorder(), [Ask(does)]):
                crashed.wait(5)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as interrupt:
            run()
        assert "ZeroDivisionError" in interrupt.value.__notes__[0]

    def test_they_stop_when_the_block_raises(self):
        work = Ask()
        with pytest.raises(RuntimeError):
            with Workers(Recorder(), [work]):
                raise RuntimeError
        before = work.times
        time.sleep(0.2)
        assert work.times == before

    def test_waiting_for_good_answers_names_who_has_none(self):
        bad = Ask(raising(NoAnswer("refused", sent=False)), replica="ui-1")
        with Workers(Recorder(), [Ask(), bad]) as workers:
            with pytest.raises(DeadlinePassed, match="none for ask@ui-1"):
                workers.let_each_succeed(timeout_s=0.4)

    def test_an_answer_to_an_older_question_does_not_count(self):
        release, begun = threading.Event(), threading.Event()

        def does():
            begun.set()
            release.wait(30)

        work = Ask(does)
        with Workers(Recorder(), [work], rate_per_s=50) as workers:
            assert begun.wait(5)
            threading.Timer(0.2, release.set).start()
            workers.let_each_succeed(timeout_s=5)
            assert work.times >= 2

    def test_two_clients_of_one_name_are_refused(self):
        with pytest.raises(ValueError, match="name of its own"):
            Workers(Recorder(), [Ask(), Ask()])

    def test_nothing_to_do_is_refused(self):
        with pytest.raises(ValueError, match="name of its own"):
            Workers(Recorder(), [])


class TestSessionProbe:
    def test_a_known_cookie_is_ok(self):
        done = perform(SessionProbe(HarborOf(whoami=["admin"]), [SESSION]), Recorder())
        assert done.outcome is Outcome.OK
        assert (done.client, done.replica) == ("session-probe@ui-0", "ui-0")
        assert done.value == {"session": fingerprint(SESSION.cookie), "user": "admin"}

    def test_an_unknown_cookie_is_a_failure_of_its_own(self):
        done = perform(SessionProbe(HarborOf(whoami=[None]), [SESSION]), Recorder())
        assert (done.outcome, done.error, done.status) == (Outcome.FAIL, UNKNOWN_SESSION, 401)

    def test_somebody_elses_cookie_is_worse(self):
        done = perform(SessionProbe(HarborOf(whoami=["dev1"]), [SESSION]), Recorder())
        assert (done.outcome, done.error, done.value["answered"]) == (Outcome.FAIL, WRONG_USER, "dev1")

    def test_of_several_sessions_each_has_its_turn_with_the_cookie_of_its_login(self):
        other = Session("dev1", "fedcba9876543210")
        harbor = HarborOf(whoami=["admin", "dev1", None, "dev1"])
        probe, recorder = SessionProbe(harbor, [SESSION, other]), Recorder()
        assert [perform(probe, recorder).ok for _ in range(4)] == [True, True, False, True]
        assert harbor.asked == [SESSION, other, SESSION, other]


class TestLogin:
    def test_a_login_is_one_when_its_cookie_is_known(self):
        login = Login(HarborOf(sign_in=[SESSION], whoami=["admin"]), ADMIN)
        done = perform(login, Recorder())
        assert done.outcome is Outcome.OK
        assert done.value == {"user": "admin", "session": fingerprint(SESSION.cookie)}
        assert login.sessions == [SESSION]

    def test_a_login_that_is_worth_nothing_failed(self):
        login = Login(HarborOf(sign_in=[SESSION], whoami=[None]), ADMIN)
        done = perform(login, Recorder())
        assert (done.outcome, done.error) == (Outcome.FAIL, WORTH_NOTHING)
        assert login.sessions == []

    def test_a_login_as_somebody_else_failed(self):
        login = Login(HarborOf(sign_in=[SESSION], whoami=["dev1"]), ADMIN)
        assert perform(login, Recorder()).error == WRONG_USER
        assert login.sessions == []

    def test_a_refused_login_failed(self):
        done = perform(Login(HarborOf(sign_in=[UnexpectedAnswer("no", status=401)]), ADMIN), Recorder())
        assert (done.outcome, done.status) == (Outcome.FAIL, 401)

    @pytest.mark.parametrize(
        "error, asked", [(NoAnswer("reset", sent=False), True), (TargetUnreachable("away"), False)]
    )
    def test_a_login_that_could_not_be_proven_is_unknown(self, error, asked):
        login = Login(HarborOf(sign_in=[SESSION], whoami=[error]), ADMIN)
        done = perform(login, Recorder())
        assert (done.outcome, done.asked) == (Outcome.INFO, asked)
        assert login.sessions == []

    def test_neither_password_nor_cookie_gets_into_the_history(self, tmp_path):
        with Recorder(tmp_path / "history.jsonl") as recorder:
            perform(Login(HarborOf(sign_in=[SESSION], whoami=["admin"]), ADMIN), recorder)
            perform(SessionProbe(HarborOf(whoami=[None]), [SESSION]), recorder)
        text = (tmp_path / "history.jsonl").read_text()
        assert SESSION.cookie not in text
        assert ADMIN.password not in text


class TestProbeEverywhere:
    def test_each_session_is_tried_at_each_place_until_it_is_known(self):
        recorder = Recorder()
        harbors = [HarborOf(whoami=[None, "admin"]), HarborOf(whoami=["admin"], name="ui-1")]
        last = probe_everywhere(recorder, harbors, [SESSION], span_s=0.1)
        assert [op.ok for op in last] == [True, True]
        assert sorted(op.client for op in recorder.history().operations) == [
            "session-check@ui-0",
            "session-check@ui-0",
            "session-check@ui-1",
        ]

    def test_a_silence_at_first_takes_nothing_from_the_span(self):
        recorder = Recorder()
        recorder.event("fault", "inject")
        perform(Login(HarborOf(sign_in=[SESSION], whoami=["admin"]), ADMIN), recorder)
        recorder.event("fault", "healed")
        silent = NoAnswer("refused", sent=False)
        probe_everywhere(recorder, [HarborOf(whoami=[silent, silent] + [None] * 99)], [SESSION], span_s=0.2)
        assert no_session_lost(recorder.history(), replicas=["ui-0"]).valid is False

    def test_what_is_known_at_once_is_asked_for_once_and_no_span_is_told(self):
        recorder = Recorder()
        probe_everywhere(recorder, [HarborOf(whoami=["admin"])], [SESSION], span_s=9)
        assert len(recorder.history().operations) == 1
        assert recorder.history().events == ()

    def test_a_session_that_stays_unknown_is_asked_for_as_long_as_a_checker_wants_to_see(self):
        recorder = Recorder()
        recorder.event("fault", "inject")
        perform(Login(HarborOf(sign_in=[SESSION], whoami=["admin"]), ADMIN), recorder)
        recorder.event("fault", "healed")
        harbors = [HarborOf(whoami=[None] * 99), HarborOf(whoami=["admin"], name="ui-1")]
        last = probe_everywhere(recorder, harbors, [SESSION], span_s=0.2)
        assert [op.error for op in last] == [UNKNOWN_SESSION, None]
        judgement = no_session_lost(recorder.history(), replicas=["ui-0", "ui-1"])
        assert (judgement.valid, judgement.unknowns) == (False, ())
        assert "for 0.2 s" in judgement.offenders[0].observed
