"""Running the suite on the lab as a user does, and what it must say."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from docs.catalogue import checks_of_suites
from harbor_verify.checks import MUST
from harbor_verify.profiles import ALL as PROFILES_OF_HARBOR
from lab import cluster, defects, layouts, profiles, settings
from lab.layouts import Layout

CHECKS = {check.id: check for check in checks_of_suites()}
PROFILES = {profile.name: profile for profile in PROFILES_OF_HARBOR}
UNUSED_IN_THE_LAB = frozenset(
    {
        "capacity.project-quotas-have-room",
        "configuration.exporter-tells-the-truth",
        "configuration.front-door-certificate-valid-for-days",
        "configuration.front-door-not-on-one-pod",
        "configuration.internal-tls-valid-for-days",
        "configuration.metrics-count-requests",
        "configuration.metrics-served",
        "configuration.replicas-spread-over-zones",
        "configuration.stored-passwords-readable",
        "configuration.stores-spread-over-nodes",
        "database.pooler-keeps-prepared-statements",
        "expiry.certificates-not-about-to-end",
        "expiry.keys-outlive-the-next-upgrade",
        "expiry.robots-valid-for-days",
        "expiry.store-certificates-valid-for-days",
        "integrity.images-whole",
        "registry.redirect-leads-to-the-blob",
        "replication.endpoints-reachable",
        "replication.proxy-caches-serve",
        "replication.rules-run",
        "scanning.database-recent",
        "storage.not-on-one-server",
    }
)
"""Checks of what a Harbor may have, and the lab's healthy ones have not."""
UNUSED_IN_ONE = {
    "harbor-1.2": {
        "configuration.registry-cache-follows-sentinels",
        "configuration.rollouts-complete",
        "database.connections-suffice",
        "images.tag-pages",
        "integrity.redis-vouches-for-what-is-there",
    },
    "harbor-2": {"expiry.authorities-valid-for-days"},
}
"""The same in one of them. The newer one's pods are given no authority; of the older one, workloads bring no pod to a
changed template by themselves, nothing says how many connections it opens, and its registry keeps nothing in Redis, and
is what docker clients speak to, of which 2.8 gives all tags at once."""
UNUSED_AT_TIMES = {"jobs.replicas-follow-the-database"}
"""Not applicable where no job has run for some minutes: with a defect that keeps schedules from firing, or just after
another was planted."""
_APART = {"clients", "conformance", "disruption", "garbage-collection", "images-to-build-on"}
HARMLESS = {id for id, check in CHECKS.items() if not _APART & set(check.needs)}
"""But for those that take minutes, and are run where they are asked for (tests/lab/test_images.py)."""
COSTLY = {id for id in HARMLESS if CHECKS[id].area == "images"}
"""They push much, and half of a run's time is theirs: of the defects that `make test` plants only those are asked for
these that name them; `make matrix` asks for them also with those that name a check of the registry or of storage."""
_OF_IMAGES = {"images", "registry", "storage"}
PATIENT = {
    "registry.busybox-push-pull",
    "registry.delete-removes",
    "registry.kubelet-pulls-with-pull-secret",
    "registry.repository-appears-in-harbor",
}
"""Where they are red, docker and the kubelet try again and again, for up to a minute each: `make test` sees them green
only, `make matrix` red as well."""
BUDGETS = {
    # What is lost in a planted defect stays lost.
    "confirmation-s": 3,
    # Who has lost something for good is not waited for any longer; the lab needs 4 s.
    "recovery-budget-s": 20,
    # How fast this machine is at the moment is no test of the suite: figures come from make bench and make verify.
    "outage-budget-ms": 5000,
    "crash-outage-budget-ms": 5000,
    "store-outage-budget-s": 60,
    # Ten of them are slow, as of a thousand.
    "collection-pushes": 200,
}


def make_sound(harbor: cluster.Deployed) -> None:
    """The reference, with nothing planted: what it stands on, too, which the layout that is there may have replaced."""
    defects.heal_outside(harbor)
    cluster.lay_out(harbor.profile, layouts.REFERENCE)
    defects.heal(harbor)


def heal_stores() -> None:
    """Take away what defects have changed outside Kubernetes, of whichever profile: the stores there serve all."""
    for profile in profiles.ALL.values():
        defects.heal_outside(cluster.Deployed(profile))


def verify(
    profile: str, folder: Path, ids: Iterable[str], budgets: Mapping[str, float] = BUDGETS
) -> tuple[int, dict[str, dict]]:
    """Run these checks on the lab that is up, as a user does; the exit code, and the report's checks by id."""
    words = [sys.executable, "-m", "pytest", "suites", "--lab", "--lab-as-it-is", f"--profile={profile}"]
    words += [
        "--strict-skips",
        f"--report-dir={folder}",
        *(f"--{name}={value}" for name, value in budgets.items()),
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


def healthy(profile: str, ids: Iterable[str], layout: Layout | None = None) -> dict[str, str]:
    """The verdicts on a Harbor with nothing planted, deployed so (default: the reference).

    What it has nothing for is not applicable; all else passes, but for what the layout itself turns red.
    """
    parts, unused = PROFILES[profile], UNUSED_IN_THE_LAB | UNUSED_IN_ONE.get(profile, set())
    if layout:
        unused = (unused | layout.not_applicable) - layout.applicable
    verdicts = {
        id: "not applicable" if CHECKS[id].lacking(parts.present) or id in unused else "pass" for id in ids
    }
    return verdicts | dict.fromkeys(layout.turns_red if layout else (), "fail")


def touches_images(defect: defects.Defect) -> bool:
    """Whether it has to do with what the costly checks look at: how images are taken, kept and given."""
    return any(CHECKS[id].area in _OF_IMAGES for id in defect.turns_red | defect.may_turn_red)


def red_by_chance(defect: defects.Defect, checks: dict[str, dict]) -> set[str]:
    """Of the checks that may fail with the defect or not, those that did."""
    return {id for id in defect.may_turn_red & checks.keys() if checks[id]["verdict"] == "fail"}


def expected_verdicts(
    defect: defects.Defect,
    expected_red: Collection[str],
    profile: str,
    layout: Layout,
    checks: dict[str, dict],
) -> dict[str, str]:
    """What each check of a report has to say with the defect planted; what it may say or not, as it says it."""
    verdicts = healthy(profile, checks, layout) | dict.fromkeys(
        defect.not_applicable & checks.keys(), "not applicable"
    )
    verdicts |= dict.fromkeys(defect.applicable & checks.keys(), "pass")
    return verdicts | dict.fromkeys({*expected_red, *red_by_chance(defect, checks)}, "fail")


def saw_nothing(check: Mapping[str, Any]) -> bool:
    """Whether a red check that breaks something, and measures what comes of it, has measured nothing: another trouble
    kept it from what it is to see. (Of one that only looks, a figure of 0 may be what is wrong.)
    """
    breaks = "disruption" in CHECKS[check["id"]].needs
    measures = breaks and (check["area"] == "failover" or check["measured"])
    return check["verdict"] == "fail" and bool(measures) and not any(check["measured"].values())


def require_exactly(
    defect: defects.Defect,
    expected_red: Collection[str],
    profile: str,
    layout: Layout,
    exit_code: int,
    checks: dict[str, dict],
) -> None:
    """Raises AssertionError unless a report says of a planted defect all that it is to say, and no more."""
    by_chance = red_by_chance(defect, checks)
    require_verdicts(checks, expected_verdicts(defect, expected_red, profile, layout, checks))
    assert exit_code == any(CHECKS[id].severity is MUST for id in {*expected_red, *by_chance})
    for id in expected_red:
        assert checks[id]["offenders"], f"{id} names no offender"
        assert checks[id]["hint"], f"{id} has no hint"
    told = {id: checks[id]["caused_by"] for id in {*expected_red, *by_chance}}
    causes = {id for id, by in told.items() if by is None}
    expected_causes = defect.causes or defect.turns_red
    may_explain = by_chance if defect.chance_explains else set[str]()
    surely = expected_causes if not may_explain & causes else set[str]()
    assert surely <= causes <= expected_causes | may_explain, f"which check explains which: {told}"
    blind = [id for id in causes if saw_nothing(checks[id])]
    assert not blind, f"red before it saw anything of the defect: {', '.join(blind)}"
    hints = " ".join(checks[id]["hint"] for id in causes | expected_causes)
    missing = [words for words in defect.hint_says if words not in hints]
    assert not missing, f"no hint of {', '.join(sorted(causes))} says {missing}"


def is_right(id: str, verdict: str, expected: str) -> bool:
    """Whether a check says what it is to say; some may find nothing to be about at times."""
    return verdict == expected or (
        id in UNUSED_AT_TIMES and (verdict, expected) == ("not applicable", "pass")
    )


def require_verdicts(checks: dict[str, dict], expected: dict[str, str]) -> None:
    """Raises AssertionError that tells, of each check with another verdict, all that its report says."""
    wrong = {
        id: f"{check['verdict']}, not {expected[id]}: {check['message']} {json.dumps(check['offenders'], indent=1)}"
        for id, check in checks.items()
        if not is_right(id, check["verdict"], expected[id])
    }
    assert not wrong, "\n".join(f"{id}: {told}" for id, told in wrong.items())
