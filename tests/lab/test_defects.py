"""Each planted defect turns exactly the checks red that it names, with a hint; after all were healed, all are green.

With a defect in the lab every check is run that breaks nothing, and of those that do the ones that it names: to see
all of them stay green under each defect would take hours and show little. `make test` plants the chosen ones
(tests/lab/choice.py), `make matrix` all, as many together as blame allows (tests/lab/groups.py). At the end everything
is run once that breaks nothing, and a sample of what does: all of that takes a quarter of an hour a profile (make
verify-failover).
"""

from collections.abc import Callable, Iterator

import pytest

from lab import cluster, defects, layouts, profiles
from tests.lab.choice import CHOSEN
from tests.lab.groups import groups
from tests.lab.matrix.plugin import note
from tests.lab.matrix.record import Planted
from tests.lab.running import (
    CHECKS,
    COSTLY,
    HARMLESS,
    PATIENT,
    expected_verdicts,
    heal_stores,
    healthy,
    is_right,
    make_sound,
    require_exactly,
    require_verdicts,
    touches_images,
    verify,
)

SAMPLE = {
    "harbor-1.2": {"failover.registry-pod-kill"},
    "harbor-2": {
        "failover.database-kill",
        "failover.web-pod-kill",
        "sessions.survive-replica-deletion",
        "storage.image-survives-registry-pod-deletion",
    },
}
"""Of those that break something."""


@pytest.fixture(scope="module")
def stand_up() -> Iterator[Callable[[str], cluster.Deployed]]:
    """Gives the lab's Harbor of a profile, and brings it up the first time; at the end it is as deploy/ has it.

    Between two tests a defect stays: the next one replaces it, which is half the work.
    """
    found: dict[str, cluster.Deployed] = {}

    def stood_up(profile: str) -> cluster.Deployed:
        if profile not in found:
            cluster.up(profile)
            found[profile] = cluster.Deployed(profiles.find(profile))
        return found[profile]

    yield stood_up
    for harbor in found.values():
        make_sound(harbor)


@pytest.fixture
def harbor(profile, stand_up) -> cluster.Deployed:
    """The lab's Harbor of that profile, with whatever the test before has planted in its manifests."""
    harbor = stand_up(profile)
    heal_stores()
    return harbor


@pytest.mark.parametrize(
    "profile, name",
    [
        pytest.param(
            profile.name,
            name,
            marks=[
                pytest.mark.plants(profile, name),
                *([] if name in CHOSEN[profile.name] else [pytest.mark.matrix]),
            ],
        )
        for profile in profiles.ALL.values()
        for name in dict.fromkeys([*CHOSEN[profile.name], *groups(profile)])
    ],
)
def test_a_defect_turns_exactly_its_checks_red(harbor, profile, name, tmp_path, record_property):
    defect = defects.find(harbor.profile, name)
    assert defect.turns_red <= CHECKS.keys(), "the defect names a check that is not in the suite"
    layout = cluster.lay_out(harbor.profile, defect.layout or CHOSEN[profile].get(name, layouts.REFERENCE))
    defects.plant(harbor, name, instead=True)
    in_short = name in CHOSEN[profile]
    expected_red = defect.turns_red - (PATIENT if in_short else set())
    costly = set() if touches_images(defect) and not in_short else COSTLY
    ids = HARMLESS - costly - defect.turns_red | expected_red
    exit_code, checks = verify(profile, tmp_path / "broken", ids)
    expected = expected_verdicts(defect, expected_red, profile, layout, checks)
    note(
        record_property,
        Planted(
            profile=profile,
            layout=layouts.chosen(harbor.profile),
            expected={
                each: tuple(sorted(defects.find(harbor.profile, each).turns_red & expected_red))
                for each in defects.names(name)
            },
            by_chance=tuple(sorted(defect.may_turn_red)),
            verdicts={id: check["verdict"] for id, check in checks.items()},
            wrong={
                id: expected[id]
                for id, check in checks.items()
                if not is_right(id, check["verdict"], expected[id])
            },
        ),
    )
    require_exactly(defect, expected_red, profile, layout, exit_code, checks)


@pytest.mark.parametrize("profile", profiles.ALL)
def test_with_nothing_planted_all_is_green(harbor, profile, tmp_path):
    make_sound(harbor)
    # The costly ones are asked for where clients are of today; of the other, with each defect of make matrix.
    ids = HARMLESS if profile == profiles.DEFAULT else HARMLESS - COSTLY
    exit_code, checks = verify(profile, tmp_path, ids | SAMPLE[profile])
    require_verdicts(checks, healthy(profile, checks))
    assert exit_code == 0
