"""How a unit test runs a check: what it finds, and the fixtures with which it skips."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from harbor_verify.verdict import Failure, Offender


class Skipped(Exception):
    """The check skipped itself."""


def skip(reason: str) -> NoReturn:
    raise Skipped(reason)


def never(what: str) -> NoReturn:
    """In the place of `skip` or `need`, where a check must not use it."""
    raise AssertionError(f"not expected: {what}")


def offenders_of(check: Callable[..., object], *args: Any) -> tuple[Offender, ...]:
    """What a check finds wrong; fails when it finds nothing."""
    with pytest.raises(Failure) as failure:
        check(*args)
    return failure.value.offenders
