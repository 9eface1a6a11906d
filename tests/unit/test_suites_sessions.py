"""The checks of sessions on a Harbor of a few lines: green on a sound one, red with every offender on a broken one."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import (
    CannotTell,
    DeadlinePassed,
    HealFailed,
    NoAnswer,
    NotShown,
    StoreRefused,
    UnexpectedAnswer,
    WrongConfiguration,
)
from harbor_verify.history import Recorder
from harbor_verify.model.stores import SessionStore
from harbor_verify.profiles import harbor_1_2
from harbor_verify.settings import Settings
from harbor_verify.verdict import Failure
from suites.sessions import test_browser as browser
from suites.sessions import test_replica_deletion as deletion
from suites.sessions import test_users_kept_apart as apart
from suites.sessions.test_session_store import (
    test_every_session_lies_in_the_session_store_and_expires as stored,
)
from tests.unit.running import examine, offenders_of

ADMIN, STRANGER, OTHER = (Credentials(name, "x") for name in ("Admin", "verify-1", "verify-2"))
STORE = SessionStore("redis", 6379, password="hush", database=11)
SILENCE = NoAnswer("no answer", sent=True)
PROFILE = replace(harbor_1_2.PROFILE, api=lambda web: web)
"""Whose replicas are their own clients."""
WORKLOAD = SimpleNamespace(object="ReplicationController harbor/ui-rc", short_name="ui", desired=3)


class Web:
    """One web replica. `store` is where it keeps sessions: their users by cookie."""

    numbers = count()
    uid = ""

    def __init__(self, store, *, cookie=None, says=lambda who: who, error=None, refuses=None):
        self.store, self.cookie, self.says, self.error, self.refuses = store, cookie, says, error, refuses
        self.name, self.closed = "", 0

    def sign_in(self, credentials):
        if self.refuses or self.error:
            raise self.refuses or self.error
        cookie = self.cookie or f"cookie-{next(self.numbers)}"
        self.store[cookie] = credentials.user
        return Session(credentials.user, cookie)

    def whoami(self, session):
        if self.error:
            raise self.error
        return self.says(self.store.get(session.cookie))

    def close(self):
        self.closed += 1


def three(store=None, **third):
    """Three replicas that share a store; the third as it is said."""
    shared = {}
    return [Web(shared), Web(shared), Web(shared if store is None else store, **third)]


def target(webs, **more):
    replicas = [
        SimpleNamespace(name=f"ui-{n}", object=f"pod ui-{n}", uid=f"uid-{n}", ready=True, state="Ready")
        for n in range(len(webs))
    ]
    for replica, web in zip(replicas, webs, strict=True):
        web.name = replica.name

    def link(replica, name=None):
        web = webs[replicas.index(replica)]
        web.name = name or replica.name
        return web

    return SimpleNamespace(
        replicas=lambda role: replicas,
        workload=lambda role: WORKLOAD,
        web=lambda replica: webs[replicas.index(replica)],
        new_link=link,
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        access=SimpleNamespace(url="http://h"),
        profile=PROFILE,
        settings=SimpleNamespace(converge_timeout_s=0.01),
        **more,
    )


# sessions.stored-in-redis


class Redis:
    def __init__(self, *, left=lambda key: 3600, kind="string", error=None):
        self.left, self.kind, self.error, self.closed = left, kind, error, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def time_to_live_s(self, key):
        if self.error:
            raise self.error
        return self.left(key)

    def kind_of(self, key):
        return "none" if self.left(key) is None else self.kind


def store_sessions(redis=None, webs=None, store=STORE):
    def session_store():
        if isinstance(store, Exception):
            raise store
        return store

    def connect(asked):
        assert asked is STORE
        return redis

    measured = {}
    redis = redis or Redis()
    examine(stored, target(webs or three(), session_store=session_store, redis=connect), measured)
    assert redis.closed
    return measured


def test_a_session_that_lies_in_redis_for_a_time_is_well():
    assert store_sessions(Redis(left=lambda key: 3599)) == {"session_time_to_live_s": 3599}


@pytest.mark.parametrize("left, told", [(None, "there is no such key"), (-1, "the key never expires")])
def test_a_session_that_is_not_there_or_for_ever_is_named(left, told):
    webs = three(cookie="of-ui-2")
    redis = Redis(left=lambda key: left if key == "of-ui-2" else 3600)
    (offender,) = offenders_of(store_sessions, redis, webs)
    assert (offender.object, offender.observed) == ("pod ui-2", told)
    assert "redis:6379, database 11" in offender.expected


def test_a_key_that_is_no_string_is_another_programs():
    offenders = offenders_of(store_sessions, Redis(kind="hash"))
    assert {o.observed for o in offenders} == {"the key is a hash, not a string"}


def test_a_redis_that_refuses_and_a_replica_that_is_silent_are_offenders():
    offenders = offenders_of(store_sessions, Redis(error=StoreRefused("Redis: invalid password")))
    assert [o.object for o in offenders] == ["pod ui-0", "pod ui-1", "pod ui-2"]
    assert "invalid password" in offenders[0].observed
    (offender,) = offenders_of(store_sessions, None, three(error=SILENCE))
    assert (offender.object, offender.observed) == ("pod ui-2", "no answer")


@pytest.mark.parametrize(
    "store, told",
    [
        (None, "sessions stay in the memory of each replica"),
        (WrongConfiguration("_REDIS_URL is not of the form"), "_REDIS_URL is not of the form"),
    ],
)
def test_settings_without_a_session_store_are_harbors_failure(store, told):
    (offender,) = offenders_of(store_sessions, None, None, store)
    assert offender.object == "ReplicationController harbor/ui-rc"
    assert told in offender.observed


# sessions.users-kept-apart


def mix(webs, door=None):
    measured = {}
    door = door or Web(webs[0].store)
    harbor = target(webs, new_front_door_link=lambda: door)
    examine(apart.test_no_session_is_ever_taken_for_another_users, harbor, STRANGER, lambda: OTHER, measured)
    return measured


def test_users_whose_sessions_are_their_own_are_kept_apart():
    webs = three()
    assert mix(webs) == {"requests_count": 200, "known_count": 200}
    assert [web.closed for web in webs] == [4, 4, 4]


def test_sessions_that_are_unknown_elsewhere_mix_nobody_up():
    measured = mix([Web({}), Web({}), Web({})])
    assert 0 < measured["known_count"] < measured["requests_count"]


def test_a_replica_that_takes_everybody_for_one_is_named_for_each_of_the_others():
    offenders = offenders_of(mix, three(says=lambda who: "verify-1"))
    assert {o.object for o in offenders} == {"pod ui-2"}
    assert sorted(o.expected.split()[3] for o in offenders) == ["Admin", "verify-2"]
    assert all("times for another's: verify-1" in o.observed for o in offenders)


def test_a_front_door_that_keeps_answers_is_named():
    webs, kept = three(), []

    def first_answer(who):
        kept.append(who)
        return kept[0]

    offenders = offenders_of(mix, webs, Web(webs[0].store, says=first_answer))
    assert {o.object for o in offenders} == {"front door http://h"}
    assert all("times for another's" in o.observed for o in offenders)


def test_upper_and_lower_case_name_one_user():
    mix(three(says=lambda who: who and who.upper()))


def test_two_logins_with_one_cookie_are_told():
    webs = [Web({}), Web({}), Web({}, cookie="same")]
    offenders = offenders_of(mix, webs)
    assert [(o.object, o.observed) for o in offenders][:2] == [
        ("login verify-1's on ui-2", "it is that of Admin's on ui-2"),
        ("login verify-2's on ui-2", "it is that of Admin's on ui-2"),
    ]


def test_a_replica_that_refuses_or_is_silent_is_named_and_not_taken_for_well():
    offenders = offenders_of(mix, three(refuses=UnexpectedAnswer("POST /login → 401", status=401)))
    assert {(o.object, o.observed) for o in offenders} == {("pod ui-2", "POST /login → 401")}
    offenders = offenders_of(mix, three(error=SILENCE))
    assert {(o.object, o.observed) for o in offenders} == {("pod ui-2", "no answer")}


@pytest.mark.parametrize(
    "error, told",
    [(SILENCE, "no answer"), (UnexpectedAnswer("GET / → 429 Too Many Requests", status=429), "GET / → 429")],
)
def test_answers_that_did_not_come_mix_nobody_up_and_are_not_taken_for_well(error, told):
    with pytest.raises(CannotTell, match=rf"front door http://h: \d+ times no proper answer; first: {told}"):
        mix(three(), Web({}, error=error))


def test_where_no_session_is_ever_known_nothing_is_shown():
    with pytest.raises(CannotTell):
        mix(three(store={}, says=lambda who: None)[2:], Web({}))


# sessions.survive-replica-deletion


class Kill:
    """A pod kill that does `then` in place of the kill, and tells it to the history."""

    def __init__(self, recorder, then=lambda: None, *, unprepared=None, unhealed=None):
        self.recorder, self.then, self.unprepared, self.unhealed = recorder, then, unprepared, unhealed
        self.replicas = [SimpleNamespace(uid=f"uid-{n}", replica=f"ui-{(n + 1) % 4}") for n in range(3)]

    def __enter__(self):
        if self.unprepared:
            raise self.unprepared
        self.recorder.event("pod-kill ui-0", "inject")
        self.then()
        return self

    def prove(self):
        self.recorder.event("pod-kill ui-0", "proven")

    def __exit__(self, *_):
        if self.unhealed:
            raise self.unhealed
        self.recorder.event("pod-kill ui-0", "healed")


def delete(monkeypatch, webs, then=lambda: None, **kill):
    recorder, measured = Recorder(), {}
    monkeypatch.setattr(deletion, "pod_kill", lambda *_: Kill(recorder, then, **kill))
    examine(
        deletion.test_sessions_outlive_the_replica_that_opened_them,
        target(webs),
        recorder,
        Settings(confirmation_s=0.1),
        lambda text: None,
        measured,
    )
    return measured


def test_sessions_that_outlive_their_pod_are_well(monkeypatch):
    webs = three()
    assert delete(monkeypatch, webs) == {"sessions": 3, "lost": 0}
    assert [web.closed for web in webs] == [2, 2, 2]


def test_a_user_is_the_same_in_upper_and_lower_case(monkeypatch):
    """Harbor tells the name as it was made, whatever --admin-user says."""
    assert delete(monkeypatch, three(says=lambda who: who and who.lower()))["lost"] == 0


def test_sessions_in_the_memory_of_the_pod_are_missed_on_each_replica(monkeypatch):
    webs = [Web({}), Web({}), Web({})]
    offenders = offenders_of(delete, monkeypatch, webs, webs[0].store.clear)
    # Under the names of the history, which has given a new pod a new one.
    assert [o.object for o in offenders] == ["ui-1", "ui-2", "ui-3"]
    assert "3 of them unknown" in offenders[0].observed
    assert "2 of them unknown" in offenders[1].observed


def test_a_session_that_becomes_anothers_is_named(monkeypatch):
    webs = three()

    def mix_up():
        webs[2].says = lambda who: "verify-1"

    offenders = offenders_of(delete, monkeypatch, webs, mix_up)
    assert {o.observed for o in offenders} == {"verify-1"}


def test_a_replica_that_does_not_answer_afterwards_is_a_failure_and_no_error(monkeypatch):
    webs = three()

    def silence():
        webs[2].error = SILENCE

    offenders = offenders_of(delete, monkeypatch, webs, silence)
    assert {(o.object, o.observed) for o in offenders} == {("ui-3", "NoAnswer")}


def test_nothing_is_deleted_where_not_all_is_well_before(monkeypatch):
    def never():
        raise AssertionError("a pod was deleted")

    refusing = three(refuses=UnexpectedAnswer("→ 401", status=401))
    (offender,) = offenders_of(delete, monkeypatch, refusing, never)
    assert (offender.object, offender.observed) == ("pod ui-2", "UnexpectedAnswer, status 401")

    forgetting = three(says=lambda who: None)
    (offender,) = offenders_of(delete, monkeypatch, forgetting, never)
    assert offender.observed == "LoginWorthNothing, status 401"

    with pytest.raises(Failure, match="3 Ready replicas before one is deleted"):
        delete(monkeypatch, three()[:2], never)

    def unprepared():
        delete(monkeypatch, three(), never, unprepared=CannotTell("ui is not whole: Service ui"))

    assert "Service ui" in offenders_of(unprepared)[0].observed


def late(text):
    """A heal that was waited for in vain, as the API shows it."""
    error = HealFailed(text)
    error.__cause__ = DeadlinePassed(text)
    return error


def test_a_pod_that_is_not_replaced_is_a_failure_and_one_that_is_not_deleted_is_no_verdict(monkeypatch):
    def unhealed():
        delete(monkeypatch, three(), unhealed=late("pod-kill ui-0 is not healed"))

    (offender,) = offenders_of(unhealed)
    assert (offender.object, offender.observed) == (WORKLOAD.object, "pod-kill ui-0 is not healed")
    with pytest.raises(DeadlinePassed):
        delete(monkeypatch, three(), unhealed=DeadlinePassed("the pod is still there"))


def test_a_successor_that_nobody_could_look_for_is_no_verdict(monkeypatch):
    with pytest.raises(CannotTell, match="reset"):
        delete(monkeypatch, three(), unhealed=HealFailed("list pods: connection reset"))


def test_a_pod_that_is_gone_and_gets_no_successor_is_a_failure(monkeypatch):
    def alone():
        delete(monkeypatch, three(), unhealed=late("last seen: 2 of 3 replicas Ready"))

    (offender,) = offenders_of(alone)
    assert (offender.object, offender.observed) == (WORKLOAD.object, "last seen: 2 of 3 replicas Ready")
    assert "replaced" in offender.expected


# sessions.browser-session-through-front-door


class Page:
    """What a user sees, step by step; `fails` says which step (reload 2: the second one) does not show it."""

    def __init__(self, fails="", error=None, picture=None):
        self.fails, self.error, self.picture = fails, error, picture
        self.steps = []

    def _do(self, step):
        self.steps.append(step)
        if step == self.fails:
            raise self.error or NotShown("the sign-in form")

    def open(self):
        self._do("open")

    def sign_in(self, credentials):
        self._do(f"sign in {credentials.user}")

    def reload(self, user):
        self._do(f"reload {sum(step.startswith('reload') for step in self.steps) + 1}")

    def sign_out(self, user):
        self._do("sign out")

    def take_picture(self, file):
        if self.picture:
            raise self.picture
        self._do(file.name)


def browse(monkeypatch, tmp_path, page, webs=2, **settings):
    @contextmanager
    def open_page(browser, *, timeout_s, insecure, ca_file):
        page.ca_file = ca_file
        page.insecure = insecure
        yield page

    monkeypatch.setattr(browser, "open_page", open_page)
    monkeypatch.setattr(browser, "Visitor", lambda page, url, look: page)
    measured = {}
    examine(
        browser.test_a_user_stays_signed_in_at_the_page,
        target([Web({}) for _ in range(webs)]),
        Settings(**settings),
        tmp_path,
        measured,
    )
    return measured


def test_a_user_who_stays_signed_in_until_the_log_out_is_well(monkeypatch, tmp_path):
    page = Page()
    rounds = browse(monkeypatch, tmp_path, page)["rounds_count"]
    assert page.steps[:5] == ["open", "sign in Admin", "signed-in.png", "reload 1", "sign out"]
    assert page.steps.count("sign in Admin") == page.steps.count("sign out") == rounds >= 4
    assert not page.insecure


@pytest.mark.parametrize(
    "fails, expected",
    [
        ("open", "the sign-in form is shown"),
        ("sign in Admin", "after the login, Admin is signed in"),
        ("reload 3", "after a reload, Admin is still signed in (time 3 of "),
        ("sign out", "after the log-out"),
    ],
)
def test_the_step_at_which_the_page_shows_another_thing_is_told_with_a_picture(
    monkeypatch, tmp_path, fails, expected
):
    page = Page(fails)
    (offender,) = offenders_of(browse, monkeypatch, tmp_path, page)
    assert offender.object == "front door http://h"
    assert expected in offender.expected
    assert offender.observed == "the sign-in form"
    assert page.steps[-2:] == [fails, "not-shown.png"]


def test_a_browser_that_crashes_is_no_verdict_but_hides_nothing_that_was_seen(monkeypatch, tmp_path):
    crashed = CannotTell("the browser failed")
    with pytest.raises(CannotTell):
        browse(monkeypatch, tmp_path, Page("reload 3", error=crashed))
    offenders_of(browse, monkeypatch, tmp_path, Page("open", picture=crashed))


def test_the_browser_trusts_whom_the_other_clients_trust(monkeypatch, tmp_path):
    page = Page()
    browse(monkeypatch, tmp_path, page, ca_file=__file__)
    assert (page.insecure, str(page.ca_file)) == (False, __file__)
    browse(monkeypatch, tmp_path, page, ca_file=__file__, insecure=True)
    assert (page.insecure, page.ca_file) == (True, None)
