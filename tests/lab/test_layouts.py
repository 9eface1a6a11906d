"""Each layout of the lab is judged as it should be: healthy ones green, the others red for exactly their reason.

`make test` sees some of them, with a defect planted (tests/lab/choice.py).
"""

import pytest

from harbor_verify.checks import MUST
from lab import cluster, layouts, profiles
from tests.lab.running import CHECKS, HARMLESS, healthy, make_sound, require_verdicts, verify

pytestmark = pytest.mark.matrix
HARBOR_2 = profiles.HARBOR_2
OTHERS = [name for name in layouts.every(HARBOR_2) if name != layouts.REFERENCE]
"""The reference is what all other tests are about."""


@pytest.fixture(scope="module", autouse=True)
def reference_at_the_end():
    """Tests of other files find Harbor as deploy/ has it."""
    yield
    make_sound(cluster.Deployed(HARBOR_2))


@pytest.mark.parametrize("name", OTHERS)
def test_a_layout_is_judged_right(name, tmp_path):
    layout = layouts.find(HARBOR_2, name)
    cluster.up(HARBOR_2.name, name)
    exit_code, checks = verify(HARBOR_2.name, tmp_path, HARMLESS)
    require_verdicts(checks, healthy(HARBOR_2.name, HARMLESS, layout))
    assert exit_code == any(CHECKS[id].severity is MUST for id in layout.turns_red)
