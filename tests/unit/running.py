"""How a unit test runs a check: what it finds, and the fixtures with which it ends early."""

import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from harbor_verify.errors import NeedMissing, NotApplicable
from harbor_verify.findings import Findings
from harbor_verify.verdict import Failure, Offender


def not_applicable(reason: str) -> NoReturn:
    raise NotApplicable(reason)


def blocked(reason: str) -> NoReturn:
    raise NeedMissing(reason)


def never(what: str) -> NoReturn:
    """In the place of `not_applicable`, `blocked` or `need`, where a check must not use it."""
    raise AssertionError(f"not expected: {what}")


_ENDINGS = ("not_applicable", "blocked", "need")
"""Fixtures that must not be used where a test does not give its own."""


def examine(check: Callable[..., object], *args: Any, **fixtures: Any) -> None:
    """Run a check and judge what it finds; `args` are its fixtures in their order, but for `findings`.

    What is no check itself (a function of a test, that runs one) is called as it is.
    """
    if not check.__module__.startswith("suites."):
        check(*args, **fixtures)
        return
    names = [name for name in inspect.signature(check).parameters if name != "findings"]
    given: dict[str, Any] = {name: never for name in names if name in _ENDINGS}
    given |= {"tell": lambda text: None} if "tell" in names else {}
    given |= {"listed": defaultdict(list)} if "listed" in names else {}
    given |= {**dict(zip(names, args, strict=False)), **fixtures}
    if "findings" not in inspect.signature(check).parameters:
        check(**given)
        return
    findings = Findings()
    check(**given, findings=findings)
    findings.settle()


def offenders_of(check: Callable[..., object], *args: Any) -> tuple[Offender, ...]:
    """What a check finds wrong; fails when it finds nothing."""
    with pytest.raises(Failure) as failure:
        examine(check, *args)
    return failure.value.offenders
