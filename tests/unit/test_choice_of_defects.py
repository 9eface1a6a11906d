"""What `make test` plants in the lab shows that each area of the suite can go red."""

from docs.catalogue import checks_of_suites
from lab import defects, layouts, profiles
from tests.lab.choice import CHOSEN


def test_every_area_goes_red_with_one_of_the_chosen_defects():
    red = {
        id.partition(".")[0]
        for profile, chosen in CHOSEN.items()
        for name in chosen
        for id in defects.find(profiles.find(profile), name).turns_red
    }
    assert red == {check.id.partition(".")[0] for check in checks_of_suites()}


def test_the_chosen_layouts_are_there():
    for profile, chosen in CHOSEN.items():
        assert set(chosen.values()) <= layouts.every(profiles.find(profile)).keys()
