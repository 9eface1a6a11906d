"""What `make test` plants in the lab shows that each area of the suite can go red."""

from itertools import permutations

import pytest

from docs.catalogue import checks_of_suites
from lab import defects, layouts, profiles
from tests.lab.choice import CHOSEN, WITHOUT_A_DEFECT
from tests.lab.groups import groups


def test_every_area_goes_red_with_one_of_the_chosen_defects():
    red = {
        id.partition(".")[0]
        for profile, chosen in CHOSEN.items()
        for name in chosen
        for id in defects.find(profiles.find(profile), name).turns_red
    }
    assert red == {check.id.partition(".")[0] for check in checks_of_suites()}


@pytest.mark.parametrize("profile", profiles.ALL.values(), ids=lambda profile: profile.name)
def test_what_is_planted_together_explains_nothing_of_each_other(profile):
    checks = {check.id: check for check in checks_of_suites()}

    def explained_by(id):
        above = checks[id].builds_on
        return set(above).union(*map(explained_by, above))

    for group in (name for name in [*groups(profile), *CHOSEN[profile.name]] if "+" in name):
        parts = [defects.find(profile, name).turns_red for name in group.split("+")]
        for one, other in permutations(parts, 2):
            assert not set().union(*map(explained_by, one)) & other


def test_the_chosen_layouts_are_there():
    for profile, chosen in CHOSEN.items():
        assert set(chosen.values()) <= layouts.every(profiles.find(profile)).keys()


def test_each_check_is_turned_red_by_a_defect_or_a_layout_or_it_is_said_why_by_none():
    of_defects = [defect for profile in profiles.ALL.values() for defect in defects.every(profile).values()]
    of_layouts = [
        layouts.find(profile, name) for profile in profiles.ALL.values() for name in layouts.every(profile)
    ]
    named = set().union(*(each.turns_red for each in (*of_defects, *of_layouts)))
    assert {check.id for check in checks_of_suites()} - named == WITHOUT_A_DEFECT.keys()
