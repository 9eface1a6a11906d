"""Images built in every classic way come back from the lab's Harbor, and run; `make verify-images` is the same."""

import pytest

from lab import profiles
from tests.lab.running import CHECKS, healthy, require_verdicts, verify

pytestmark = pytest.mark.matrix
BUILDS = {id for id, check in CHECKS.items() if "images-to-build-on" in check.needs}


@pytest.mark.parametrize("profile", profiles.ALL)
def test_images_built_in_every_way_come_back_and_run(profile, tmp_path):
    exit_code, checks = verify(profile, tmp_path, BUILDS)
    require_verdicts(checks, healthy(profile, BUILDS))
    assert exit_code == 0
