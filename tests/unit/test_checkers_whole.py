"""Whole judgements, as reports, metrics and operators are given them: names, words, pods, figures, evidence."""

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED, no_push_missing_in_catalogue
from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.latency import latency
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.checkers.pulse import pulse
from harbor_verify.checkers.pushes import (
    PULL,
    PULL_BACK,
    PUSH,
    WRONG_CONTENT,
    no_acknowledged_push_lost,
    no_wrong_content,
)
from harbor_verify.checkers.response import response
from harbor_verify.checkers.sessions import PROBE, WRONG_USER, no_session_lost
from harbor_verify.checkers.stale_reads import STALE_READ, no_stale_read
from harbor_verify.checkers.whole_again import whole_again
from harbor_verify.checkers.writes import READ, VALUES_MISSING, WRITE, no_write_lost
from harbor_verify.history import CONFIRMING
from harbor_verify.history.pulse import PULSE
from harbor_verify.verdict import Offender
from tests.unit.handwritten import CLIENT, disrupted, event, history, op

FAULT = [*disrupted(10, 100), event(100, "after the heal", CONFIRMING, span_s=0.01)]
NOTHING = history([], [])
OTHER = Offender("Pod h/other", "runs", "does not")


def test_confirming_a_fault_names_each_that_was_not_proven_or_whose_pod_stayed():
    events = [
        event(1, "web", "pod-created", uid="old"),
        event(10, "first", "inject"),
        event(20, "second", "inject", uid="u2", pod="web-0", workload="web"),
        event(20, "second", "proven"),
        event(20, "web", "pod-created", uid="u2-new"),
        event(21, "web", "pod-deleted", uid="another"),
        event(22, "registry", "pod-deleted", uid="u2"),
        event(30, "third", "inject", uid="u3", pod="web-1", workload="web"),
        event(30, "web", "pod-deleted", uid="u3"),
        event(31, "third", "proven"),
        event(32, "web", "pod-created", uid="u3-new"),
    ]
    assert fault_confirmed(history([], events)) == Judgement(
        "fault-confirmed",
        unknowns=("first was injected but not proven", "second: pod web-0 (UID u2) was not seen to go"),
        evidence={
            "second": {"old_uid": "u2", "new_uids": ["u2-new", "u3-new"]},
            "third": {"old_uid": "u3", "new_uids": ["u3-new"]},
        },
    )


def test_without_a_disruption_there_is_nothing_to_confirm_and_nothing_to_heal():
    assert fault_confirmed(NOTHING) == Judgement("fault-confirmed", unknowns=("nothing was disrupted",))
    assert whole_again(NOTHING) == Judgement("whole-again", unknowns=("nothing was disrupted",))


def test_of_several_disruptions_each_is_told_that_did_not_become_whole():
    events = [
        *disrupted(10, 100, "healed"),
        event(200, "left", "inject"),
        event(300, "cut", "inject"),
        event(400, "cut", "not-healed", observed="no way to the API server"),
        event(500, "mute", "inject"),
        event(600, "mute", "not-healed"),
        event(700, "late", "inject"),
        event(1_000_700, "late", "not-healed", late=True, observed="web-0 is not Ready"),
        event(2_000_000, "silent", "inject"),
        event(2_000_500, "silent", "not-healed", late=True),
    ]
    assert whole_again(history([], events)) == Judgement(
        "whole-again",
        (
            Offender("late", "all is whole again", "not after 1000000 ms: web-0 is not Ready"),
            Offender("silent", "all is whole again", "not after 500 ms: "),
        ),
        ("left was not healed", "cut was not healed: no way to the API server", "mute was not healed: "),
    )


def test_responses_are_told_each_by_what_it_was_to_be():
    events = [
        event(10, "awaits nothing", "inject"),
        event(20, "in time", "inject"),
        event(20.1234567, "in time", "responded"),
        event(30, "never", "inject"),
        event(30, "never", "proven"),
        event(80, "never", "not-responded"),
        event(100, "not broken", "inject"),
        event(110, "not broken", "not-responded", observed="it runs"),
        event(200, "unseen", "inject"),
        event(210, "unseen", "response-unseen", expected="a takeover", observed="blind"),
    ]
    assert response(history([], events), budget_ms=10) == Judgement(
        "response",
        (Offender("never", "the fault is answered", "not after 50 ms: "),),
        ("not broken was not proven; it runs", "unseen: whether a takeover could not be seen: blind"),
        {"response_ms": 0.123},
        {"in time": 0.123},
    )
    assert response(NOTHING) == Judgement("response")


def test_a_starved_machine_is_a_share_of_the_time_of_the_disruption():
    starving = event(3000, "machine", PULSE, ms=1000, late_ms=123.456, stalled_ms=50, stolen_ms=7)
    during = [*disrupted(2000, 4000), starving]
    assert pulse(history([], during)) == Judgement(
        "pulse",
        measured={"starved_percent": 6.2},
        evidence={"late_ms": 123.456, "stalled_ms": 50.0, "stolen_ms": 7.0},
    )
    assert pulse(history([], disrupted(2000, 4000))) == Judgement("pulse")
    assert pulse(history([], [starving])) == Judgement("pulse")


def test_latency_shows_the_operations_of_these_clients_by_phase():
    operations = [op(0, 5), op(50, 70), op(120, 121), op(50, 99, client="pull@front-door")]
    judgement = latency(history(operations, FAULT), clients=[CLIENT])
    assert (judgement.checker, judgement.valid) == ("latency", True)
    assert list(judgement.evidence["kinds"]) == ["login"]
    assert [each["count"] for each in judgement.evidence["kinds"]["login"]] == [1, 1, 1]
    assert latency(history(operations, []), clients=[CLIENT]) == Judgement("latency", evidence={"kinds": {}})


def test_wrong_content_names_what_was_asked_for_and_which_pod_answered():
    def pull(outcome, **more):
        return op(
            20, 25, outcome, client=f"{PULL}@registry-0", value={"digest": "sha256:1"}, uid="u0", **more
        )

    assert no_wrong_content(history([pull("ok"), pull("fail", error=WRONG_CONTENT)], [])) == Judgement(
        "no-wrong-content",
        (Offender("registry-0", "the bytes of sha256:1", "other bytes", ("u0",)),),
        measured={"pulls": 1},
    )
    assert no_wrong_content(history([pull("fail")], [])) == Judgement(
        "no-wrong-content", unknowns=("nothing was pulled",), measured={"pulls": 0}
    )


def test_a_stale_read_names_reader_writer_and_value():
    def write(**told):
        value = {"value": "a", "acknowledged": True, **told}
        return op(20, 25, "fail", client=f"{WRITE}@web-0", value=value, error=STALE_READ)

    stale = "sees the write that web-0 has just acknowledged (a)"
    assert no_stale_read(history([write(reader="web-1", reader_uid="u1"), write()], [])) == Judgement(
        "no-stale-read",
        (Offender("web-1", stale, "not there", ("u1",)), Offender("a replica", stale, "not there", ())),
        measured={"stale_reads": 2},
    )
    unknown = ("no write was acknowledged and read",)
    assert no_stale_read(NOTHING) == Judgement("no-stale-read", unknowns=unknown, measured={"stale_reads": 0})


def test_failed_requests_are_told_by_kind_and_pod_of_each_client():
    operations = [
        op(20, 21, "fail", error="NoAnswer", uid="u0"),
        op(30, 31, "info", status=502, uid="u1"),
        op(40, 41, "ok", uid="u2"),
        op(41, 99, "ok"),
        op(50, 51, "fail", client="pull@front-door", error="UnexpectedAnswer", status=500),
        op(60, None, None, client="pull@front-door"),
        op(70, 71, "fail", client="pull@front-door", asked=False),
    ]
    clients = [CLIENT, "pull@front-door", "nobody@front-door"]
    assert failed_requests(history(operations, FAULT), clients=clients, budget=1) == Judgement(
        "failed-requests",
        (
            Offender(
                CLIENT,
                "at most 1 failed operations",
                "2 of 4: NoAnswer: 1, no error class 502 (outcome unknown): 1",
                ("u0", "u1"),
            ),
        ),
        (
            "pull@front-door: 2 operations never ended or could not be asked",
            "nobody@front-door asked nothing",
        ),
        {"failed": 3},
        {
            CLIENT: {
                "operations": 4,
                "failed": {"NoAnswer": 1, "no error class 502 (outcome unknown)": 1},
                "unsettled": 0,
            },
            "pull@front-door": {"operations": 3, "failed": {"UnexpectedAnswer 500": 1}, "unsettled": 2},
            "nobody@front-door": {"operations": 0, "failed": {}, "unsettled": 0},
        },
    )
    assert failed_requests(history(operations, FAULT), clients=[], budget=1) == Judgement(
        "failed-requests", unknowns=("there was no client to ask",), measured={"failed": 0}
    )


def test_a_mixed_up_session_names_whose_it_was_and_whose_it_became():
    def mixed(**told):
        return op(
            20,
            25,
            "fail",
            client=f"{PROBE}@web-0",
            value={"session": "s", **told},
            error=WRONG_USER,
            uid="u0",
        )

    judged = no_session_lost(history([mixed(user="ann", answered="bob"), mixed()], FAULT), replicas=["web-0"])
    assert judged.offenders == (
        Offender("session s", "ann on web-0", "bob", ("u0",)),
        Offender("session s", "its user on web-0", "somebody else", ("u0",)),
    )
    assert judged.unknowns == ("no session was acknowledged",)


def probe(at_ms, session, replica, error="SessionUnknown"):
    told, outcome = {"session": session}, "fail" if error else "ok"
    uid = f"uid-{replica}"
    return op(at_ms, at_ms + 5, outcome, client=f"{PROBE}@{replica}", value=told, error=error, uid=uid)


def test_lost_sessions_are_told_whole():
    operations = [
        *[
            op(20, 25, client="login@front-door", value={"session": session})
            for session in ("s1", "s2", "s3")
        ],
        *[probe(at, session, "web-0") for at in (100, 110, 120) for session in ("s1", "s2")],
        probe(130, "s3", "web-0", None),
        *[probe(100, session, "web-1", None) for session in ("s1", "s2")],
    ]
    looked = history(operations, FAULT)
    assert no_session_lost(looked, replicas=["web-0", "web-1"]) == Judgement(
        "no-session-lost",
        (
            Offender(
                "web-0",
                "3 sessions known after fault",
                "2 of them unknown, asked again and again for 0.01 s: s1, s2",
                ("uid-web-0",),
            ),
        ),
        ("session s3 on web-1: not asked for after the heal",),
        {"sessions": 3, "lost": 2},
        {"sessions": ["s1", "s2", "s3"], "lost": {"web-0": ["s1", "s2"]}},
    )
    assert no_session_lost(history([], FAULT), replicas=[]) == Judgement(
        "no-session-lost",
        unknowns=("no session was acknowledged", "there was no replica to ask"),
        measured={"sessions": 0, "lost": 0},
        evidence={"sessions": [], "lost": {}},
    )


def test_lost_pushes_are_told_whole():
    def pull_back(at_ms, digest, replica="registry-0", outcome="fail", **more):
        value = {"digest": digest}
        return op(at_ms, at_ms + 5, outcome, client=f"{PULL_BACK}@{replica}", value=value, uid="u0", **more)

    digests = [f"sha256:{number:064d}" for number in range(6)]
    operations = [
        *[op(20, 25, client=f"{PUSH}@front-door", value={"digest": digest}) for digest in digests],
        *[pull_back(at, digest, status=404) for at in (100, 110, 120) for digest in digests],
        *[pull_back(100, digest, "registry-1", "ok") for digest in digests[1:]],
        pull_back(100, digests[0], "registry-1", status=503, error="UnexpectedAnswer"),
    ]
    judged = no_acknowledged_push_lost(history(operations, FAULT), replicas=["registry-0", "registry-1"])
    shown = ", ".join(["sha256:000000000000"] * 5)
    reason = "the last time it was asked for it failed for another reason (UnexpectedAnswer, status 503)"
    assert judged == Judgement(
        "no-acknowledged-push-lost",
        (
            Offender(
                "registry-0",
                "6 images that were acknowledged can be pulled",
                f"6 of them cannot, asked again and again for 0.01 s: {shown} and 1 more",
                ("u0",),
            ),
        ),
        (f"sha256:000000000000 on registry-1: {reason}",),
        {"pushes": 6, "pushes_lost": 6},
        {"acknowledged": digests, "lost": {"registry-0": digests}},
    )
    assert no_acknowledged_push_lost(history([], FAULT), replicas=[]) == Judgement(
        "no-acknowledged-push-lost",
        unknowns=("no push was acknowledged", "there was no replica to ask"),
        measured={"pushes": 0, "pushes_lost": 0},
        evidence={"acknowledged": [], "lost": {}},
    )


def test_the_longest_outage_and_the_slowest_answer_are_told_whole():
    operations = [
        op(0, 1),
        op(20, 30, "fail", uid="u0"),
        op(40, 45, uid="u1"),
        op(50, 95, uid="u2"),
        op(0, 1, client="pull@front-door"),
        op(12, 100, client="pull@front-door"),
    ]
    clients = [CLIENT, "pull@front-door"]
    judged = longest_outage(history(operations, FAULT), clients=clients, budget_ms=20, slow_ms=40)
    assert judged.checker == "longest-outage"
    assert judged.offenders == (
        Offender(
            CLIENT, "no outage above 20 ms", "1 operation without a good answer, an outage of 25 ms", ("u0",)
        ),
        Offender(
            CLIENT,
            "an answer within 40 ms more than usual before anything was broken (1 ms)",
            "waited 45 ms for one (login)",
            ("u2",),
        ),
        Offender(
            "pull@front-door",
            "an answer within 40 ms more than usual before anything was broken (1 ms)",
            "waited 88 ms for one (pull)",
        ),
    )
    assert judged.unknowns == ()
    assert judged.measured == {"outage_ms": 25.0, "slowest_ok_ms": 88.0}
    evidence = judged.evidence["clients"]
    assert {client: each["operations"] for client, each in evidence.items()} == {CLIENT: 3, clients[1]: 1}
    assert evidence[clients[1]] == {"outage_ms": 0.0, "slowest_ok_ms": 88.0, "operations": 1, "outages": []}
    assert longest_outage(NOTHING, clients=[], budget_ms=20) == Judgement(
        "longest-outage",
        unknowns=("there was no client to ask",),
        measured={"outage_ms": 0.0, "slowest_ok_ms": 0.0},
        evidence={"clients": {}},
    )


def write(name, outcome="ok"):
    acknowledged = {"acknowledged": True} if outcome == "ok" else {}
    return op(20, 25, outcome, client=f"{WRITE}@front-door", value={"value": name, **acknowledged})


def read(at_ms, *values, replica="web-0", missing=True):
    error, outcome = (VALUES_MISSING, "fail") if missing else (None, "ok")
    uid = f"uid-{replica}"
    value = {"values": list(values)}
    return op(at_ms, at_ms + 5, outcome, client=f"{READ}@{replica}", value=value, error=error, uid=uid)


def test_lost_and_unexpected_writes_are_told_whole():
    kept = [f"v{number}" for number in range(7)]
    operations = [
        *map(write, kept),
        write("refused", "fail"),
        write("late", "info"),
        write("never", "info"),
        *[read(at, "v0", "refused", "strange") for at in (100, 110, 120)],
        read(130, *kept, "late", replica="web-1", missing=False),
    ]
    judged = no_write_lost(history(operations, FAULT), replicas=["web-0", "web-1"])
    assert judged == Judgement(
        "no-write-lost",
        (
            Offender(
                "web-0",
                "holds what was written, and nothing that was refused or that nobody wrote",
                "refused, strange",
                ("uid-web-0",),
            ),
            Offender(
                "web-0",
                "holds the 7 values whose writes were acknowledged",
                "not v1, v2, v3, v4, v5 and 1 more, asked again and again for 0.01 s",
                ("uid-web-0",),
            ),
        ),
        (),
        {"writes": 7, "writes_lost": 6},
        {
            "attempted_count": 10,
            "acknowledged_count": 7,
            "possible": ["late", "never"],
            "recovered": ["late"],
            "lost": {"web-0": kept[1:]},
            "unexpected": {"web-0": ["refused", "strange"]},
        },
    )


def test_exactly_as_many_lost_writes_as_are_shown_have_no_more():
    kept = [f"v{number}" for number in range(5)]
    reads = [read(at) for at in (100, 110, 120)]
    (offender,) = no_write_lost(history([*map(write, kept), *reads], FAULT), replicas=["web-0"]).offenders
    assert offender.observed == "not v0, v1, v2, v3, v4, asked again and again for 0.01 s"


def test_what_could_not_be_found_out_about_writes_is_told_of_each_replica():
    silent = op(110, 115, "fail", client=f"{READ}@web-0", error="NoAnswer", status=503)
    operations = [
        write("a"),
        silent,
        read(110, "a", replica="web-1", missing=False),
        read(110, replica="web-2"),
    ]
    judged = no_write_lost(history(operations, FAULT), replicas=["web-0", "web-1", "web-2", "web-3"])
    why = "the last time it was asked for it failed for another reason (NoAnswer, status 503)"
    assert judged.unknowns == (
        f"web-0 did not say in the end what was written: {why}",
        "a on web-2: refused 1 times within 0 ms: too few, or too soon after one another",
        "web-3 did not say in the end what was written: not asked for after the heal",
    )
    assert judged.offenders == ()
    assert no_write_lost(history([], FAULT), replicas=[]).unknowns == (
        "no write was acknowledged",
        "there was no replica to ask",
    )


def test_what_is_missing_in_a_catalogue_is_told_whole():
    def push(digest, repository):
        value = {"digest": digest, "repository": repository}
        return op(20, 25, client=f"{PUSH}@front-door", value=value)

    def listing(at_ms, replica, repository, *missing, error=NOT_LISTED):
        value = {"repository": repository, **({"missing": missing} if missing else {})}
        outcome = "fail" if missing or error != NOT_LISTED else "ok"
        error = error if outcome == "fail" else None
        return op(
            at_ms, at_ms + 5, outcome, client=f"{LISTING}@{replica}", value=value, error=error, uid="u0"
        )

    operations = [
        push("sha256:1", "p/a"),
        push("sha256:2", "p/a"),
        push("sha256:3", "p/b"),
        *[listing(at, "web-0", "p/a", "sha256:2") for at in (100, 110, 120)],
        listing(130, "web-0", "p/b", "sha256:3"),
        listing(130, "web-1", "p/a"),
        listing(130, "web-1", "p/b", error="NoAnswer"),
    ]
    looked = history(operations, FAULT)
    assert no_push_missing_in_catalogue(looked, replicas=["web-0", "web-1", "web-2"]) == Judgement(
        "no-push-missing-in-catalogue",
        (
            Offender(
                "web-0",
                "lists the 2 images of p/a that were acknowledged",
                "not sha256:2, asked again and again for 0.01 s",
                ("u0",),
            ),
        ),
        (
            "sha256:3 in p/b on web-0: refused 1 times within 0 ms: too few, or too soon after one another",
            "p/b on web-1: the last time it was asked for it failed for another reason (NoAnswer)",
            "p/a on web-2: not asked for after the heal",
            "p/b on web-2: not asked for after the heal",
        ),
        {"pushes_unlisted": 1},
    )
    assert no_push_missing_in_catalogue(history([], FAULT), replicas=[]) == Judgement(
        "no-push-missing-in-catalogue",
        unknowns=("no push was acknowledged", "there was no replica to ask"),
        measured={"pushes_unlisted": 0},
    )
