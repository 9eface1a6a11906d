"""The suite's own writes on two web replicas of a stand-in: they are seen, and what a database loses is missed."""

from collections.abc import Callable, Iterable

import pytest

from harbor_verify.checkers.stale_reads import no_stale_read
from harbor_verify.checkers.writes import no_write_lost
from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.history import Recorder
from harbor_verify.workloads.values import ValueWrite, erase, read_everywhere
from harbor_verify.workloads.work import perform

ADMIN = Credentials("admin", "Harbor12345")


def go_through(writer: Harbor, reader: Harbor, project: str, lose: Callable[[Iterable[str]], None]) -> None:
    """`lose` takes values out of the database, behind the back of both."""
    recorder = Recorder()
    writer.create_project(project, ADMIN)
    work = ValueWrite(writer, [reader, writer], writer.projects(project, ADMIN)[project], ADMIN)
    recorder.event("fault", "inject")
    assert [perform(work, recorder).ok for _ in range(5)] == [True] * 5
    with pytest.raises(UnexpectedAnswer) as taken:
        reader.add_value(work.project, work.acknowledged[0], ADMIN)
    assert taken.value.status == 409
    recorder.event("fault", "healed")
    read_everywhere(recorder, [writer, reader], work, ADMIN, span_s=0.2)
    places = [writer.name, reader.name]
    assert no_write_lost(recorder.history(), replicas=places).valid is True
    assert no_stale_read(recorder.history()).valid is True

    lose(work.acknowledged[-2:])
    read_everywhere(recorder, [writer, reader], work, ADMIN, span_s=0.2)
    judgement = no_write_lost(recorder.history(), replicas=places)
    assert judgement.measured == {"writes": 5, "writes_lost": 2}
    assert [offender.object for offender in judgement.offenders] == places

    erase([writer, reader], work, ADMIN)
    assert reader.values(work.project, work.mark, ADMIN) == {}
