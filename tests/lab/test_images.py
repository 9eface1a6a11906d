"""Images built in every classic way come back from the lab's Harbor, and run; `make verify-images` is the same."""

import pytest

from lab import cluster, defects, profiles
from tests.lab.running import CHECKS, healthy, make_sound, require_verdicts, verify

pytestmark = pytest.mark.matrix
BUILDS = {id for id, check in CHECKS.items() if "images-to-build-on" in check.needs}
FAT = {"images.builder-image-comes-back", "images.distribution-image-comes-back"}
"""Of layers above 8 MB."""
COME_BACK = BUILDS - {"images.as-many-listed-as-built", "images.shared-base-uploaded-once"}


@pytest.mark.parametrize("profile", profiles.ALL)
def test_images_built_in_every_way_come_back_and_run(profile, tmp_path):
    exit_code, checks = verify(profile, tmp_path, BUILDS)
    require_verdicts(checks, healthy(profile, BUILDS))
    assert exit_code == 0


@pytest.mark.parametrize(
    "defect, red, where",
    [
        ("front-door-rewrites-manifests", COME_BACK, "front door"),
        ("front-door-body-limit", FAT, ""),
    ],
)
def test_images_that_do_not_come_back_as_they_were_are_red_each_of_them(defect, red, where, tmp_path):
    cluster.up(profiles.DEFAULT)
    harbor = cluster.Deployed(profiles.find(profiles.DEFAULT))
    try:
        defects.plant(harbor, defect, instead=True)
        exit_code, checks = verify(profiles.DEFAULT, tmp_path, BUILDS)
    finally:
        make_sound(harbor)
    require_verdicts(checks, healthy(profiles.DEFAULT, BUILDS) | dict.fromkeys(red, "fail"))
    assert exit_code == 1
    for id in red:
        assert any(offender["object"].startswith(where) for offender in checks[id]["offenders"]), checks[id]
