"""Values are written once each, read back at others in turn, and taken away in the end."""

import time
from itertools import pairwise

import pytest

from harbor_verify.checkers.stale_reads import STALE_READ, no_stale_read
from harbor_verify.checkers.writes import no_write_lost
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.errors import NoAnswer, UnexpectedAnswer
from harbor_verify.history import History, Outcome, Recorder
from harbor_verify.workloads.values import ALREADY_THERE, ValueWrite, erase, read_everywhere
from harbor_verify.workloads.work import perform

ADMIN, PROJECT = Credentials("admin", "x"), Project("w", 7)


class Place:
    """A web replica on a database, or on a copy of its own; `refuses` is raised in place of the next write."""

    def __init__(self, name, values):
        self.name, self.uid, self.kept, self.refuses, self.silent = (
            name,
            f"uid-of-{name}",
            values,
            None,
            False,
        )

    def add_value(self, project, value, credentials):
        refusal, self.refuses = self.refuses, None
        if refusal:
            raise refusal
        self.kept[value] = len(self.kept)

    def values(self, project, mark, credentials):
        if self.silent:
            raise NoAnswer("no answer", sent=True)
        return {value: number for value, number in self.kept.items() if value.startswith(mark)}

    def remove_value(self, value_id, credentials):
        for value in [value for value, number in self.kept.items() if number == value_id]:
            del self.kept[value]


@pytest.fixture
def database():
    return {}


@pytest.fixture
def writing(database):
    """(recorder, the work, its writer, its two readers), all on one database."""
    writer, *readers = (Place(name, database) for name in ("front-door", "web-0", "web-1"))
    return Recorder(), ValueWrite(writer, readers, PROJECT, ADMIN), writer, readers


def test_every_value_is_another_one_and_each_reader_has_its_turn(writing):
    recorder, work, *_ = writing
    done = [perform(work, recorder) for _ in range(4)]
    assert all(op.ok for op in done)
    assert len({op.value["value"] for op in done}) == 4
    assert all(op.value["value"].startswith(work.mark) for op in done)
    assert [op.value["reader"] for op in done] == ["web-0", "web-1"] * 2
    assert done[0].value["reader_uid"] == "uid-of-web-0"
    assert all(before.value["value"] < after.value["value"] for before, after in pairwise(done))


def test_an_acknowledged_write_that_a_reader_does_not_see_is_stale(writing):
    recorder, work, _, readers = writing
    readers[0].kept = {}
    done = perform(work, recorder)
    assert (done.outcome, done.error, done.value["acknowledged"]) == (Outcome.FAIL, STALE_READ, True)
    assert no_stale_read(recorder.history()).offenders[0].object == "web-0"


def test_a_write_that_nobody_answers_is_possible_and_its_value_is_never_written_again(writing):
    recorder, work, writer, _ = writing
    writer.refuses = NoAnswer("timed out", sent=True)
    lost, next_one = perform(work, recorder), perform(work, recorder)
    assert lost.outcome is Outcome.INFO
    assert lost.value["value"] != next_one.value["value"]
    assert work.acknowledged == [next_one.value["value"]]


@pytest.mark.parametrize(
    "status, outcome, error",
    [
        (403, Outcome.FAIL, "UnexpectedAnswer"),
        (500, Outcome.INFO, "UnexpectedAnswer"),
        # Somebody on the way has sent it twice: the first was taken.
        (409, Outcome.INFO, ALREADY_THERE),
    ],
)
def test_a_refusal_says_what_it_says(writing, status, outcome, error):
    recorder, work, writer, _ = writing
    writer.refuses = UnexpectedAnswer("no", status=status)
    done = perform(work, recorder)
    assert (done.outcome, done.error, work.acknowledged) == (outcome, error, [])


def test_a_reader_that_is_silent_or_slow_is_not_the_writers_outage(writing):
    recorder, work, _, readers = writing
    readers[0].silent, values = True, readers[1].values

    def late(*args):
        time.sleep(0.2)
        return values(*args)

    readers[1].values = late
    unread, slow = perform(work, recorder), perform(work, recorder)
    assert (unread.ok, unread.value["acknowledged"], unread.value["unread"]) == (True, True, "NoAnswer")
    assert slow.ok
    assert slow.duration_ms > 200 > 2 * slow.waited_ms
    assert no_stale_read(recorder.history()).valid is True
    assert no_stale_read(History((unread,), ())).unknowns == ("no write was acknowledged and read",)


def test_what_a_failover_lost_is_lost_everywhere_and_what_is_there_is_removed_in_the_end(writing, database):
    recorder, work, writer, readers = writing
    recorder.event("fault", "inject")
    done = [perform(work, recorder) for _ in range(4)]
    recorder.event("fault", "healed")
    for op in done[-2:]:
        del database[op.value["value"]]
    read_everywhere(recorder, readers, work, ADMIN, span_s=0.1)
    judgement = no_write_lost(recorder.history(), replicas=["web-0", "web-1"])
    assert judgement.measured == {"writes": 4, "writes_lost": 2}
    assert [offender.object for offender in judgement.offenders] == ["web-0", "web-1"]
    erase([writer, *readers], work, ADMIN)
    assert database == {}
