"""What a check has found, and the verdict that is drawn from it."""

import threading

import pytest

from harbor_verify.errors import (
    CannotTell,
    NeedMissing,
    NoAnswer,
    ProgramMissing,
    SettingsError,
    UnexpectedAnswer,
    WrongConfiguration,
)
from harbor_verify.findings import Findings
from harbor_verify.verdict import Failure, Offender


def test_what_is_as_expected_passes():
    findings = Findings()
    with findings.about("pod ns/a", "answers"):
        pass
    findings.settle()


def test_an_empty_set_proves_nothing():
    with pytest.raises(CannotTell, match="nothing to examine"):
        Findings().settle()


def test_every_offender_is_told_with_what_was_expected_of_it():
    findings = Findings()
    with findings.about("pod ns/a", "answers") as answer:
        answer.wrong("it does not")
        answer.wrong("nor in time", expected="answers within 1 s")
    findings.wrong("both", "the same", "two")
    with pytest.raises(Failure) as failure:
        findings.settle()
    assert failure.value.offenders == (
        Offender("pod ns/a", "answers", "it does not"),
        Offender("pod ns/a", "answers within 1 s", "nor in time"),
        Offender("both", "the same", "two"),
    )


@pytest.mark.parametrize(
    "refusal",
    [
        NoAnswer("silence", sent=True),
        UnexpectedAnswer("→ 500", status=500),
        WrongConfiguration("no such key"),
    ],
)
def test_what_harbor_refuses_makes_an_offender_and_the_check_goes_on(refusal):
    findings = Findings()
    for thing in ("pod ns/a", "pod ns/b"):
        with findings.about(thing, "answers"):
            raise refusal
    with pytest.raises(Failure) as failure:
        findings.settle()
    assert [(o.object, o.observed) for o in failure.value.offenders] == [
        ("pod ns/a", str(refusal)),
        ("pod ns/b", str(refusal)),
    ]


def test_what_could_not_be_found_out_is_no_pass():
    findings = Findings()
    with findings.about("pod ns/a", "answers"):
        pass
    with findings.about("pod ns/b", "answers"):
        raise CannotTell("it is dark")
    with pytest.raises(CannotTell, match="pod ns/b: it is dark"):
        findings.settle()


def test_what_is_surely_wrong_outweighs_it_and_it_is_told_all_the_same():
    findings = Findings()
    findings.unknown("pod ns/b", "it is dark")
    findings.wrong("pod ns/a", "answers", "it does not")
    with pytest.raises(Failure) as failure:
        findings.settle()
    assert failure.value.__notes__ == ["could not be found out: pod ns/b: it is dark"]


def test_what_lacks_something_blocks_the_check_once_all_else_was_looked_at():
    def found(*steps):
        findings = Findings()
        for step in (ProgramMissing("no shell"), *steps, ProgramMissing("no shell")):
            with findings.about("pod ns/a", "answers") as thing:
                if isinstance(step, str):
                    thing.wrong(step)
                elif step:
                    raise step
        return findings.settle

    with pytest.raises(NeedMissing, match=r"^no shell$"):
        found(None)()
    with pytest.raises(CannotTell, match="pod ns/a: it is dark\nno shell"):
        found(CannotTell("it is dark"))()
    with pytest.raises(Failure) as failure:
        found("it does not")()
    assert failure.value.__notes__ == ["could not be found out: no shell"]


def test_an_error_of_the_suites_own_ends_the_check():
    findings = Findings()
    with pytest.raises(SettingsError), findings.about("pod ns/a", "answers"):
        raise SettingsError("wrong")
    assert not findings.offenders


def test_what_is_examined_side_by_side_is_told_in_the_order_of_the_things():
    findings, all_there = Findings(), threading.Barrier(3, timeout=10)

    def examine(thing: str, own: Findings) -> str:
        all_there.wait()  # each waits for the others: they are examined at the same time
        with own.about(f"pod ns/{thing}", "answers") as answer:
            if thing != "b":
                answer.wrong("it does not")
        return thing.upper()

    assert findings.side_by_side("cab", examine) == ["C", "A", "B"]
    assert [offender.object for offender in findings.offenders] == ["pod ns/c", "pod ns/a"]
    assert findings.examined == 3


def test_many_things_are_examined_a_few_at_a_time():
    findings, under_way, most = Findings(), [], []

    def examine(thing: int, own: Findings) -> int:
        under_way.append(thing)
        most.append(len(under_way))
        under_way.remove(thing)
        return thing

    assert findings.side_by_side(range(50), examine) == list(range(50))
    assert max(most) <= 8
    assert findings.side_by_side([], examine) == []


def test_what_examining_raises_is_raised():
    def examine(thing: str, own: Findings) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Findings().side_by_side("ab", examine)
