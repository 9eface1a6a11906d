"""Each layout of the lab is judged as it should be: healthy ones green, the others red for exactly their reason.

`make test` tries the chosen ones (tests/lab/choice.py), `make matrix` all.
"""

import pytest

from harbor_verify.checks import MUST
from lab import cluster, layouts, profiles
from tests.lab.choice import CHOSEN_LAYOUTS
from tests.lab.running import CHECKS, COSTLY, HARMLESS, healthy, require_verdicts, verify

HARBOR_2 = profiles.HARBOR_2


@pytest.fixture(scope="module", autouse=True)
def reference_at_the_end():
    """Tests of other files find Harbor as deploy/ has it."""
    yield
    if layouts.chosen(HARBOR_2) != layouts.REFERENCE:
        cluster.up(HARBOR_2.name, layouts.REFERENCE)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in CHOSEN_LAYOUTS else pytest.mark.matrix)
        for name in layouts.every(HARBOR_2)
        if name != layouts.REFERENCE  # what all other tests are about
    ],
)
def test_a_layout_is_judged_right(name, tmp_path):
    layout = layouts.find(HARBOR_2, name)
    cluster.up(HARBOR_2.name, name)
    ids = HARMLESS - COSTLY if name in CHOSEN_LAYOUTS else HARMLESS
    exit_code, checks = verify(HARBOR_2.name, tmp_path, ids | layout.turns_red)
    verdicts = healthy(HARBOR_2.name, ids) | dict.fromkeys(layout.applicable, "pass")
    verdicts |= dict.fromkeys(layout.not_applicable, "not applicable")
    require_verdicts(checks, verdicts | dict.fromkeys(layout.turns_red, "fail"))
    assert exit_code == any(CHECKS[id].severity is MUST for id in layout.turns_red)
