"""Which check explains which: the ids that checks name are there, and no chain of them goes round in a circle."""

import pytest

from docs.catalogue import checks_of_suites
from harbor_verify.checks import MUST

CHECKS = {check.id: check for check in checks_of_suites()}


@pytest.mark.parametrize("id", CHECKS)
def test_what_a_check_builds_on_is_there_and_is_not_mere_advice(id):
    below = CHECKS[id].builds_on
    assert set(below) <= CHECKS.keys()
    assert CHECKS[id].severity is not MUST or all(CHECKS[other].severity is MUST for other in below)


@pytest.mark.parametrize("id", CHECKS)
def test_no_check_builds_on_itself(id):
    waiting, met = list(CHECKS[id].builds_on), set()
    while waiting:
        other = waiting.pop()
        assert other != id
        if other not in met:
            met.add(other)
            waiting += CHECKS[other].builds_on
