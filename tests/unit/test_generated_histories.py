"""Histories that hypothesis makes: one in which something was lost is never judged true, and a sound one always is.

A history may tell little (too few asks, silent replicas): then the judgement may be unknown, never true.
"""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED, no_push_missing_in_catalogue
from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.checkers.proportion import bad_answers
from harbor_verify.checkers.pushes import (
    PULL_BACK,
    PUSH,
    WRONG_CONTENT,
    no_acknowledged_push_lost,
    no_wrong_content,
)
from harbor_verify.checkers.sessions import (
    LOG_OUT,
    PROBE,
    UNKNOWN_SESSION,
    WRONG_USER,
    no_session_lost,
)
from harbor_verify.checkers.stale_reads import STALE_READ, no_stale_read
from harbor_verify.checkers.writes import READ, VALUES_MISSING, WRITE, no_write_lost
from harbor_verify.history import CONFIRMING
from tests.unit.handwritten import disrupted, event, history, op

# The same examples each time: a red test is to be of the change before it.
SETTINGS = settings(max_examples=150, derandomize=True, deadline=None, database=None)
HEALED_MS, END_MS = 1000, 3000
REPLICAS = ("replica-0", "replica-1", "replica-2")
EVENTS = [*disrupted(300, HEALED_MS), event(HEALED_MS, "after the heal", CONFIRMING, span_s=0.5)]
SEEDS = st.integers(0, 2**32)
"""Of what is too much for hypothesis to draw piece by piece."""
before = st.integers(0, HEALED_MS - 10)
after = st.integers(HEALED_MS, END_MS)
outcomes = st.sampled_from(["ok", "fail", "info", None])
asked_at = st.lists(after, max_size=6, unique=True).map(sorted)
"""When something is asked for after the heal: maybe never, maybe too few times."""


def ended(at_ms, outcome):
    return None if outcome is None else at_ms + 5


@st.composite
def acknowledged(draw):
    """Things that clients asked to be made: (when, name, outcome), in the order of asking; at least one was made."""
    times = sorted(draw(st.lists(before, min_size=1, max_size=8)))
    made = [(at, f"thing-{number}", draw(outcomes)) for number, at in enumerate(times)]
    sure = draw(st.integers(0, len(made) - 1))
    made[sure] = (made[sure][0], made[sure][1], "ok")
    return made


def good(made):
    return [name for _, name, outcome in made if outcome == "ok"]


@st.composite
def with_a_victim(draw):
    """What was made, one acknowledged thing of it, a replica that has lost that one, and when it is asked."""
    made = draw(acknowledged())
    return made, draw(st.sampled_from(good(made))), draw(st.sampled_from(REPLICAS)), draw(asked_at)


def writes(made):
    return [
        op(
            at,
            ended(at, outcome),
            outcome,
            client=f"{WRITE}@front-door",
            value={"value": name, **({"acknowledged": True} if outcome == "ok" else {})},
        )
        for at, name, outcome in made
    ]


def read(at_ms, replica, there, missing=()):
    return op(
        at_ms,
        at_ms + 5,
        "fail" if missing else "ok",
        client=f"{READ}@{replica}",
        value={"values": list(there), "missing": list(missing)},
        error=VALUES_MISSING if missing else None,
    )


def judge_writes(operations):
    return no_write_lost(history(operations, EVENTS, END_MS + 100), replicas=REPLICAS)


@SETTINGS
@given(acknowledged(), st.data())
def test_writes_that_are_all_there_are_well(made, data):
    reads = []
    for replica in REPLICAS:
        possible = [name for _, name, outcome in made if outcome in ("info", None)]
        landed = data.draw(st.sets(st.sampled_from(possible))) if possible else set()
        reads.append(read(data.draw(after), replica, {*good(made), *landed}))
    judgement = judge_writes([*writes(made), *reads])
    assert judgement.valid is True
    assert judgement.measured == {"writes": len(good(made)), "writes_lost": 0}


@SETTINGS
@given(with_a_victim(), st.booleans())
def test_a_lost_write_is_never_judged_true(case, others_are_asked):
    made, victim, replica, times = case
    there = [name for name in good(made) if name != victim]
    reads = [read(at, replica, there, [victim]) for at in times]
    if others_are_asked:
        reads += [read(END_MS, other, good(made)) for other in REPLICAS if other != replica]
    judgement = judge_writes([*writes(made), *reads])
    assert judgement.valid is not True
    long_enough = len(times) >= 3 and times[-1] - (times[0] + 5) >= 500
    assert (judgement.valid is False) == long_enough


@SETTINGS
@given(acknowledged(), st.sampled_from(REPLICAS), after)
def test_a_value_that_nobody_wrote_is_never_judged_true(made, replica, at_ms):
    reads = [read(END_MS, other, good(made)) for other in REPLICAS if other != replica]
    odd = read(at_ms, replica, [*good(made), "never-written"])
    assert judge_writes([*writes(made), *reads, odd]).valid is False


@SETTINGS
@given(acknowledged(), st.data())
def test_a_read_that_missed_the_write_before_it_is_never_judged_true(made, data):
    at_ms = data.draw(before)
    value = {"value": "stale", "acknowledged": True, "reader": data.draw(st.sampled_from(REPLICAS))}
    stale = op(at_ms, at_ms + 5, "fail", client=f"{WRITE}@front-door", value=value, error=STALE_READ)
    assert no_stale_read(history([*writes(made), stale], EVENTS)).valid is False
    assert no_stale_read(history(writes(made), EVENTS)).valid is True


def logins(made):
    return [
        op(at, ended(at, outcome), outcome, client="login@front-door", value={"session": name, "user": "u"})
        for at, name, outcome in made
    ]


def probe(at_ms, session, replica, error=None):
    outcome = "fail" if error else "ok"
    told = {"session": session, "user": "u"}
    return op(at_ms, at_ms + 5, outcome, client=f"{PROBE}@{replica}", value=told, error=error)


def judge_sessions(operations):
    return no_session_lost(history(operations, EVENTS, END_MS + 100), replicas=REPLICAS)


def known_everywhere(made, besides=()):
    return [
        probe(END_MS, session, replica)
        for session in good(made)
        for replica in REPLICAS
        if (session, replica) not in besides
    ]


@SETTINGS
@given(acknowledged(), st.data())
def test_sessions_that_are_known_in_the_end_are_well_whatever_was_refused_before(made, data):
    spoiled = [
        probe(data.draw(st.integers(0, END_MS - 1)), session, replica, UNKNOWN_SESSION)
        for session in good(made)
        for replica in data.draw(st.sets(st.sampled_from(REPLICAS)))
    ]
    in_order = sorted([*logins(made), *spoiled, *known_everywhere(made)], key=lambda each: each.invoked_ns)
    assert judge_sessions(in_order).valid is True


@SETTINGS
@given(with_a_victim())
def test_a_lost_session_is_never_judged_true(case):
    made, victim, replica, times = case
    lost = [probe(at, victim, replica, UNKNOWN_SESSION) for at in times]
    judgement = judge_sessions([*logins(made), *known_everywhere(made, {(victim, replica)}), *lost])
    assert judgement.valid is not True
    long_enough = len(times) >= 3 and times[-1] - (times[0] + 5) >= 500
    assert (judgement.valid is False) == long_enough
    assert judgement.measured["lost"] == long_enough


@SETTINGS
@given(with_a_victim(), st.integers(0, END_MS))
def test_a_session_that_was_once_somebody_elses_is_never_judged_true(case, at_ms):
    made, victim, replica, _ = case
    mixed = probe(at_ms, victim, replica, WRONG_USER)
    assert judge_sessions([*logins(made), mixed, *known_everywhere(made)]).valid is False


@SETTINGS
@given(with_a_victim())
def test_a_session_that_was_ended_is_missed_by_nobody(case):
    made, victim, replica, times = case
    out = op(500, 505, "ok", client=f"{LOG_OUT}@front-door", value={"session": victim})
    kept = [each for each in made if each[1] != victim]
    gone = [probe(at, victim, replica, UNKNOWN_SESSION) for at in times]
    judgement = judge_sessions([*logins(made), out, *known_everywhere(kept), *gone])
    assert judgement.valid is (True if good(kept) else "unknown")


def pushes(made):
    return [
        op(
            at,
            ended(at, outcome),
            outcome,
            client=f"{PUSH}@front-door",
            value={"digest": f"sha256:{name}", "repository": "p/r"},
        )
        for at, name, outcome in made
    ]


def pull_back(at_ms, name, replica, outcome="ok", **more):
    return op(
        at_ms, at_ms + 5, outcome, client=f"{PULL_BACK}@{replica}", value={"digest": f"sha256:{name}"}, **more
    )


@SETTINGS
@given(
    with_a_victim(), st.sampled_from([{"status": 404, "error": "UnexpectedAnswer"}, {"error": WRONG_CONTENT}])
)
def test_a_lost_push_is_never_judged_true(case, how):
    made, victim, replica, times = case
    whole = [
        pull_back(END_MS, name, each)
        for name in good(made)
        for each in REPLICAS
        if (name, each) != (victim, replica)
    ]
    lost = [pull_back(at, victim, replica, "fail", **how) for at in times]

    def judge(*asked):
        return no_acknowledged_push_lost(history([*pushes(made), *asked], EVENTS), replicas=REPLICAS)

    assert judge(*whole, pull_back(END_MS, victim, replica)).valid is True
    judgement = judge(*whole, *lost)
    assert judgement.valid is not True
    long_enough = len(times) >= 3 and times[-1] - (times[0] + 5) >= 500
    assert (judgement.valid is False) == long_enough


@SETTINGS
@given(with_a_victim(), st.integers(0, END_MS))
def test_other_bytes_than_those_asked_for_are_never_judged_true(case, at_ms):
    made, victim, replica, _ = case
    right = [pull_back(END_MS, name, replica) for name in good(made)]
    wrong = pull_back(at_ms, victim, replica, "fail", error=WRONG_CONTENT)
    assert no_wrong_content(history([*right, wrong], EVENTS)).valid is False
    assert no_wrong_content(history(right, EVENTS)).valid is True


@SETTINGS
@given(with_a_victim())
def test_a_push_that_is_not_listed_is_never_judged_true(case):
    made, victim, replica, times = case

    def listing(at_ms, of, *missing):
        told = {"repository": "p/r", "missing": list(missing)}
        error = NOT_LISTED if missing else None
        outcome = "fail" if missing else "ok"
        return op(at_ms, at_ms + 5, outcome, client=f"{LISTING}@{of}", value=told, error=error)

    def judge(*asked):
        return no_push_missing_in_catalogue(history([*pushes(made), *asked], EVENTS), replicas=REPLICAS)

    others = [listing(END_MS, each) for each in REPLICAS if each != replica]
    assert judge(*others, listing(END_MS, replica)).valid is True
    judgement = judge(*others, *[listing(at, replica, f"sha256:{victim}") for at in times])
    assert judgement.valid is not True
    long_enough = len(times) >= 3 and times[-1] - (times[0] + 5) >= 500
    assert (judgement.valid is False) == long_enough


@st.composite
def asking(draw, bad):
    """A client that asks without a pause from 0 to END_MS: what it asks while `bad` (from, to) goes wrong."""
    chance, operations, at = Random(draw(SEEDS)), [], 0
    while at < END_MS:
        took = chance.randint(1, 60)
        wrong = bad[0] <= at < bad[1]
        outcome = chance.choice(["fail", "info"]) if wrong else "ok"
        operations.append(op(at, at + took, outcome, error="NoAnswer" if wrong else None))
        at += took
    return operations


@SETTINGS
@given(st.data(), st.integers(301, 1500), st.integers(0, 1000))
def test_an_outage_above_the_budget_is_never_judged_true(data, begin_ms, lasts_ms):
    bad = (begin_ms, begin_ms + lasts_ms)
    looked = history(data.draw(asking(bad)), EVENTS, END_MS + 100)
    client = looked.operations[0].client
    judgement = longest_outage(looked, clients=[client], budget_ms=200)
    wrong = [each for each in looked.operations if not each.ok]
    asked_in_vain_ms = (wrong[-1].completed_ns - wrong[0].invoked_ns) / 1e6 if wrong else 0
    # The first good answer ends it, 60 ms later at most.
    if asked_in_vain_ms > 200:
        assert judgement.valid is False
    if asked_in_vain_ms + 60 < 200:
        assert judgement.valid is True


@SETTINGS
@given(st.data(), st.integers(301, 1500), st.integers(0, 300), st.integers(0, 5))
def test_more_failed_requests_than_the_budget_are_never_judged_true(data, begin_ms, lasts_ms, budget):
    looked = history(data.draw(asking((begin_ms, begin_ms + lasts_ms))), EVENTS, END_MS + 100)
    client = looked.operations[0].client
    wrong = sum(not each.ok for each in looked.operations)
    judgement = failed_requests(looked, clients=[client], budget=budget)
    assert judgement.valid is (wrong <= budget)
    assert judgement.measured == {"failed": wrong}


@settings(SETTINGS, max_examples=10)
@given(SEEDS)
def test_a_client_that_is_refused_now_and_again_to_the_end_is_never_judged_true(seed):
    """Each outage is short: every second answer is bad, long after the heal."""
    chance, operations, at, bad = Random(seed), [], 200, True
    while at < 20_000 or bad:
        took = chance.randint(20, 80)
        bad = not bad
        operations.append(op(at, at + took, "fail" if bad else "ok", error="NoAnswer" if bad else None))
        at += took
    looked = history(operations, EVENTS, 20_200)
    clients = [operations[0].client]
    assert longest_outage(looked, clients=clients, budget_ms=1000).valid is True
    judgement = bad_answers(looked, clients=clients, outage_budget_ms=1000, flapping_budget_percent=25)
    assert judgement.valid is False
