"""Each planted defect turns exactly the checks red that it names, with a hint; after all were healed, all are green.

With a defect in the lab every check is run that breaks nothing, and of those that do the ones that it names: to see
all of them stay green under each defect would take hours and show little. `make test` plants the chosen ones
(tests/lab/choice.py), `make matrix` all. At the end everything is run once that breaks nothing, and a sample of what
does: all of that takes a quarter of an hour a profile (make verify-failover).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from docs.catalogue import checks_of_suites
from harbor_verify.checks import MUST
from harbor_verify.profiles import ALL as PROFILES_OF_HARBOR
from lab import cluster, defects, profiles, settings
from tests.lab.choice import CHOSEN

CHECKS = {check.id: check for check in checks_of_suites()}
PROFILES = {profile.name: profile for profile in PROFILES_OF_HARBOR}
UNUSED_IN_THE_LAB = frozenset(
    {"configuration.front-door-not-on-one-pod", "configuration.internal-tls-valid-for-days"}
)
"""Checks of what a Harbor may have, and the lab's healthy ones have not."""
UNUSED_IN_ONE = {"harbor-1.2": {"images.tag-pages"}}
"""The same in one of them: its registry is what docker clients speak to, and 2.8 gives all tags at once."""
_APART = {"conformance", "disruption", "images-to-build-on"}
HARMLESS = {id for id, check in CHECKS.items() if not _APART & set(check.needs)}
"""But for those that take minutes, and are run where they are asked for (tests/lab/test_images.py)."""
COSTLY = {id for id in HARMLESS if CHECKS[id].area == "images"}
"""They push much, and half of a run's time is theirs: of the defects that `make test` plants only those are asked for
these that name them; `make matrix` asks for them with all others."""
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
BUDGETS = {
    # Who has lost something for good is not waited for any longer; the lab needs 4 s.
    "recovery-budget-s": 20,
    # How fast this machine is at the moment is no test of the suite: figures come from make bench and make verify.
    "outage-budget-ms": 5000,
    "crash-outage-budget-ms": 5000,
    "store-outage-budget-s": 60,
}


@pytest.fixture(scope="module")
def stand_up() -> Iterator[Callable[[str], cluster.Deployed]]:
    """Gives the lab's Harbor of a profile, and brings it up the first time; nothing is left planted at the end.

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
        if defects.planted(harbor.profile):
            defects.heal(harbor)


@pytest.fixture
def harbor(profile, stand_up) -> cluster.Deployed:
    """The lab's Harbor of that profile, with whatever the test before has planted."""
    return stand_up(profile)


def verify(profile: str, folder: Path, ids: Iterable[str]) -> tuple[int, dict[str, dict]]:
    """Run these checks on the lab as a user does; the exit code, and the report's checks by id."""
    words = [sys.executable, "-m", "pytest", "suites", "--lab", f"--profile={profile}"]
    words += [
        "--strict-skips",
        f"--report-dir={folder}",
        *(f"--{name}={value}" for name, value in BUDGETS.items()),
    ]
    words += [f"--check={id}" for id in sorted(ids)]
    done = subprocess.run(words, cwd=settings.REPOSITORY, capture_output=True, text=True, check=False)
    report = folder / "latest" / "report.json"
    assert report.exists(), (
        f"no report was written (exit code {done.returncode}):\n{done.stdout}\n{done.stderr}"
    )
    document = json.loads(report.read_text())
    checks = {check["id"]: check for check in document["checks"]}
    assert checks.keys() == set(ids), done.stdout
    return done.returncode, checks


def healthy(profile: str, ids: Iterable[str]) -> dict[str, str]:
    """The verdicts on a healthy Harbor of a profile: what it has nothing for is not applicable, all else passes."""
    parts, unused = PROFILES[profile], UNUSED_IN_THE_LAB | UNUSED_IN_ONE.get(profile, set())
    return {
        id: "not applicable" if CHECKS[id].lacking(parts.present) or id in unused else "pass" for id in ids
    }


def require_verdicts(checks: dict[str, dict], expected: dict[str, str]) -> None:
    """Raises AssertionError that tells, of each check with another verdict, all that its report says."""
    wrong = {
        id: f"{check['verdict']}, not {expected[id]}: {check['message']} {json.dumps(check['offenders'], indent=1)}"
        for id, check in checks.items()
        if check["verdict"] != expected[id]
    }
    assert not wrong, "\n".join(f"{id}: {told}" for id, told in wrong.items())


@pytest.mark.parametrize(
    "profile, name",
    [
        pytest.param(profile.name, name, marks=() if name in CHOSEN[profile.name] else pytest.mark.matrix)
        for profile in profiles.ALL.values()
        for name in defects.every(profile)
    ],
)
def test_a_defect_turns_exactly_its_checks_red(harbor, profile, name, tmp_path):
    defect = defects.find(harbor.profile, name)
    assert defect.turns_red <= CHECKS.keys(), "the defect names a check that is not in the suite"
    defects.plant(harbor, name, instead=True)
    ids = (HARMLESS - COSTLY if name in CHOSEN[profile] else HARMLESS) | defect.turns_red
    exit_code, checks = verify(profile, tmp_path / "broken", ids)

    verdicts = healthy(profile, ids) | dict.fromkeys(defect.not_applicable, "not applicable")
    require_verdicts(checks, verdicts | dict.fromkeys(defect.turns_red, "fail"))
    assert exit_code == any(CHECKS[id].severity is MUST for id in defect.turns_red)
    for id in defect.turns_red:
        assert checks[id]["offenders"], f"{id} names no offender"
        assert checks[id]["hint"], f"{id} has no hint"
    causes = {id for id in defect.turns_red if checks[id]["caused_by"] is None}
    told = {id: checks[id]["caused_by"] for id in defect.turns_red}
    assert causes == (defect.causes or defect.turns_red), f"which check explains which: {told}"


@pytest.mark.parametrize("profile", profiles.ALL)
def test_with_nothing_planted_all_is_green(harbor, profile, tmp_path):
    if defects.planted(harbor.profile):
        defects.heal(harbor)
    exit_code, checks = verify(profile, tmp_path, HARMLESS | SAMPLE[profile])
    require_verdicts(checks, healthy(profile, checks))
    assert exit_code == 0
