"""The check of volumes' room, in a Harbor whose stores have volumes in its namespace, too."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from harbor_verify.clients.pod_channel import CommandInPodFailed
from harbor_verify.errors import CannotTell, NotApplicable
from harbor_verify.model.disk import Usage, days_left, usage_of
from suites.capacity import test_volumes
from tests.unit import deployments
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

CHECK = test_volumes.test_volumes_have_space_and_inodes_left
FULL = test_volumes.test_no_volume_is_full
SETTINGS = SimpleNamespace(full_percent=85, full_in_days=30)
HEAD = "Filesystem     1024-blocks    Used Available Capacity Mounted on"
INODES = "Filesystem Inodes Used Available Capacity Mounted on"
NOW = datetime.now(UTC)


def df(used, left, head=HEAD):
    return (
        f"{head}\n198.18.0.5:6789:/apps {used + left} {used} {left} {used * 100 // (used + left)}% /storage\n"
    )


ROOMY, MANY = df(10, 90), df(10, 90, INODES)


@pytest.fixture
def harbor(monkeypatch):
    """`harbor(name, space, inodes)`: a deployment, in all of whose pods df says the same, or fails."""
    opened = []

    def made(name="23-internal-stores-ha-looking", space=ROOMY, inodes=MANY):
        def run(kubernetes, namespace, pod, container, argv):
            printed = {"-Pk": space, "-Pi": inodes}[argv[1]]
            if isinstance(printed, Exception):
                raise printed
            return printed

        monkeypatch.setattr(test_volumes, "run_in_pod", run)
        opened.append(harbor_of(deployments.text_of(name)))
        return opened[-1].__enter__()[0]

    yield made
    for each in opened:
        each.__exit__(None, None, None)


def told(harbor, looks=()):
    return [
        (each.object.rpartition("/")[2], each.observed)
        for each in offenders_of(CHECK, harbor, SETTINGS, lambda: list(looks), never, {})
    ]


def test_volumes_with_room_are_well_each_looked_at_once(harbor):
    measured = {}
    listed = defaultdict(list)
    examine(CHECK, harbor(), SETTINGS, list, never, measured, listed)
    rows = {each["what"]: each for each in listed["volumes"]}
    assert rows["harbor-registry"] == {
        "what": "harbor-registry",
        "used_bytes": 10 * 1024,
        "left_bytes": 90 * 1024,
        "full_percent": 85,
        "inodes_percent": 10.0,
    }
    claims = {name.partition("_")[0] for name in measured}
    assert {"harbor-registry", "harbor-jobservice"} < claims
    assert any("database" in each for each in claims)
    assert measured["harbor-registry_used_percent"] == 10.0
    assert measured["harbor-registry_used_bytes"] == 10 * 1024


def test_little_space_and_few_inodes_are_told_of_each_volume(harbor):
    found = told(harbor(space=df(90 * 1024, 10 * 1024)))
    assert ("harbor-registry", "90 % of its space is used, 10 MiB are left") in found
    assert ("harbor-registry", "99 % of its inodes are used, 1 are left") in told(
        harbor(inodes=df(99, 1, INODES))
    )


def test_what_fills_is_told_before_it_is_full(harbor):
    """80 of 100 KiB, and 10 more each day."""
    looks = [
        (NOW - timedelta(days=n), {"harbor-registry_used_bytes": (80 - 10 * n) * 1024}) for n in range(1, 5)
    ]
    assert told(harbor(space=df(80, 20)), looks) == [
        ("harbor-registry", "at the rate of earlier runs it is full in 2 days")
    ]
    examine(CHECK, harbor(space=df(80, 20)), SETTINGS, lambda: looks[:1], never, {})


@pytest.mark.parametrize("inodes", [CommandInPodFailed("df: invalid option -- 'i'"), df(0, 1, INODES)])
def test_a_file_system_without_a_number_of_inodes_is_judged_by_its_space(harbor, inodes):
    examine(CHECK, harbor(inodes=inodes), SETTINGS, list, never, {})


@pytest.mark.parametrize("space", [CommandInPodFailed("no such file: df"), "nothing", HEAD])
def test_what_cannot_be_seen_is_unknown(harbor, space):
    with pytest.raises(CannotTell):
        examine(CHECK, harbor(space=space), SETTINGS, list, never, {})


def test_a_volume_that_no_ready_pod_mounts_is_unknown_and_one_that_is_not_bound_is_none(harbor, monkeypatch):
    monkeypatch.setattr(test_volumes, "is_ready", lambda pod: "jobservice" not in pod.metadata.name)
    target = harbor()
    with pytest.raises(CannotTell, match="harbor-jobservice: no Ready pod"):
        examine(CHECK, target, SETTINGS, list, never, {})
    bound = [each for each in target.deployment.volumes() if each.claim_name != "harbor-jobservice"]
    monkeypatch.setattr(type(target.deployment), "volumes", lambda self: bound)
    examine(CHECK, target, SETTINGS, list, never, {})


def test_without_a_claim_there_is_nothing_to_look_at(harbor):
    with pytest.raises(NotApplicable):
        examine(CHECK, harbor("08-s3-no-pvc"), SETTINGS, list, not_applicable, {})


@pytest.mark.parametrize(
    "space, inodes, found",
    [
        (df(2**20, 1024), MANY, None),
        (df(2**20, 1023), MANY, "100 % of its space is used, 1023 KiB are left"),
        (df(2**20, 0), MANY, "100 % of its space is used, 0 KiB are left"),
        (df(10, 2**20), df(99, 1, INODES), None),
        (df(10, 2**20), df(99, 0, INODES), "all of its 99 inodes are used"),
        (df(10, 2**20), CommandInPodFailed("df: invalid option -- 'i'"), None),
    ],
)
def test_a_volume_is_full_when_hardly_a_layer_or_no_file_fits(harbor, space, inodes, found):
    target = harbor(space=space, inodes=inodes)
    if not found:
        examine(FULL, target, never)
        return
    told = {each.object.rpartition("/")[2]: each.observed for each in offenders_of(FULL, target, never)}
    assert told["harbor-registry"] == found


def test_whether_a_volume_is_full_may_be_unknown_or_be_about_nothing(harbor):
    with pytest.raises(CannotTell):
        examine(FULL, harbor(space="nothing"), never)
    with pytest.raises(NotApplicable, match="PersistentVolumeClaim"):
        examine(FULL, harbor("08-s3-no-pvc"), not_applicable)


@pytest.mark.parametrize(
    "row, usage",
    [
        ("/dev/vda 1000 300 600 34% /storage", Usage(300, 600)),
        ("a long name 1000 300 600 34% /a path with blanks", Usage(300, 600)),
        ("ceph-fuse 12 -18446744073709551603 18446744073709551615 - /storage", None),
        ("tmpfs 0 0 0 - /storage", None),
    ],
)
def test_the_last_row_of_df_is_read_from_its_end(row, usage):
    assert usage_of(f"{HEAD}\n{row}\n") == usage


@pytest.mark.parametrize(
    "used, apart, days",
    [
        ([10, 20, 30], timedelta(days=1), 7.0),
        ([30, 20, 10], timedelta(days=1), None),
        ([10, 10, 10], timedelta(days=1), None),
        ([10, 20], timedelta(days=5), None),
        ([10, 20, 30], timedelta(hours=1), None),
    ],
)
def test_the_rate_of_earlier_looks_says_how_long_it_lasts(used, apart, days):
    looks = [(NOW + n * apart, each) for n, each in enumerate(used)]
    found = days_left(looks, 70)
    assert found == (pytest.approx(days) if days else None)
