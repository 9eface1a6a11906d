"""Defects are found by themselves, change exactly what they say, and the lab remembers which is in it."""

import pickle
import re
from functools import cache
from types import SimpleNamespace

import pytest

from lab import defects, layouts, profiles, settings
from lab.deployment import rollout
from lab.deployment.manifests import objects
from lab.errors import CommandFailed, LabError, WrongLayout
from lab.profiles import HARBOR_1_2, HARBOR_2
from tests.lab.groups import groups

EXACT_CHANGES = {
    "registry-config-mounted-elsewhere": {
        "ReplicationController registry-rc spec.template.spec.containers.0.volumeMounts.0.mountPath": (
            "/etc/registry",
            "/etc/docker/registry",
        ),
    },
    "session-store-missing": {
        "ReplicationController ui-rc spec.template.spec.containers.0.env": (
            ["CONFIG_PATH", "LOG_LEVEL", "UI_SECRET", "JOBSERVICE_SECRET", "GODEBUG", "_REDIS_URL", "KEY_PATH",
             "ADMIN_SERVER_URL"],
            ["CONFIG_PATH", "LOG_LEVEL", "UI_SECRET", "JOBSERVICE_SECRET", "GODEBUG", "KEY_PATH",
             "ADMIN_SERVER_URL"],
        ),
    },
    "claim-selector-matches-nothing": {
        "PersistentVolumeClaim log-pvc spec.selector.matchLabels.type": ("log", "logs"),
    },
    "storage-not-shared": {
        "ReplicationController registry-rc spec.template.spec.containers.0.env": (None, ["NODE_NAME"]),
        "ReplicationController registry-rc spec.template.spec.containers.0.volumeMounts.1.subPathExpr": (
            None,
            "$(NODE_NAME)",
        ),
    },
    "single-replica": {"ReplicationController nginx-rc spec.replicas": (3, 1)},
}  # fmt: skip
EXACT_CHANGES_2 = {
    "csrf-keys-differ": {
        "Deployment harbor-core spec.template.spec.containers.0.env": (
            ["CORE_SECRET", "JOBSERVICE_SECRET"],
            ["CORE_SECRET", "JOBSERVICE_SECRET", "NODE_NAME", "CSRF_KEY"],
        ),
    },
    "health-lies": {
        "ConfigMap harbor-core data.JOBSERVICE_URL": (
            "http://harbor-jobservice",
            "http://harbor-job-service",
        ),
    },
    "claim-read-write-once": {
        "PersistentVolume harbor-2-registry-pv spec.accessModes.0": ("ReadWriteMany", "ReadWriteOnce"),
        "PersistentVolumeClaim harbor-registry spec.accessModes.0": ("ReadWriteMany", "ReadWriteOnce"),
    },
}
EVERY = [(profile, name) for profile in profiles.ALL.values() for name in defects.every(profile)]


def differences(before, after, path=""):
    """Where two structures differ; lists of different length differ as a whole (of named items: by the names)."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from differences(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}.{index}")
    elif before != after:
        yield path, (_names(before), _names(after))


def _names(node):
    if not isinstance(node, list):
        return node
    return [item.get("name", item) if isinstance(item, dict) else item for item in node]


def by_identity(found):
    return {f"{each['kind']} {each['metadata']['name']}": each for each in found}


@cache
def _read(folder):
    return pickle.dumps(objects.read(folder))


def manifests_of(profile):
    """Those of deploy/, for whoever asks to change: reading them for each defect takes ten times as long."""
    return pickle.loads(_read(profile.manifests))


def without_and_with(profile, name):
    """The objects of a defect's layout, without it and with it."""
    defect = defects.find(profile, name)
    before, after = manifests_of(profile), manifests_of(profile)
    for manifests in (before, after):
        layouts.find(profile, defect.layout or layouts.REFERENCE).change(manifests)
    defect.change(after)
    return by_identity(before), by_identity(after)


def changes_of(profile, name):
    before, after = without_and_with(profile, name)
    return {
        f"{identity} {path}": change
        for identity in before.keys() | after.keys()
        for path, change in differences(before.get(identity), after.get(identity))
    }


@pytest.fixture
def lab(monkeypatch):
    """A lab whose deployments are only noted; set `fails` to let the next one fail."""
    lab = SimpleNamespace(
        kubectl=lambda *words: "",
        profile=HARBOR_1_2,
        deployment_settings=None,
        done=[],
        statements=[],
        fails=False,
    )
    lab.sql = lab.statements.append

    def deploy(kubectl, profile, settings, *, change, **_):
        lab.done.append(change)
        if lab.fails:
            raise KeyboardInterrupt

    monkeypatch.setattr(rollout, "deploy", deploy)
    return lab


def param(profile, name):
    return pytest.param(profile, name, id=f"{profile.name} {name}")


@pytest.mark.parametrize("profile, name", [param(*each) for each in EVERY])
def test_defect_says_what_it_is(profile, name):
    defect = defects.find(profile, name)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
    assert defect.report
    assert defect.shows
    assert "\n" not in defect.report + defect.shows
    assert defect.turns_red
    named = defect.turns_red | defect.may_turn_red | defect.not_applicable
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", check) for check in named)
    assert defect.causes <= defect.turns_red, "what chance decides is no cause"
    assert not defect.turns_red & (defect.may_turn_red | defect.not_applicable)
    manifests = manifests_of(profile)
    layouts.find(profile, defect.layout or layouts.REFERENCE).change(manifests)
    found = objects.of_kind(manifests, *objects.WORKLOADS)
    workloads = {each["metadata"]["name"] for each in found}
    assert defect.unready <= workloads


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Defects that need a key of their own make it here."""
    monkeypatch.setattr(settings, "STATE", tmp_path / "state")
    (tmp_path / "state").mkdir()


@pytest.mark.parametrize("profile, name", [param(*each) for each in EVERY])
def test_defect_changes_the_manifests_unless_it_lies_outside_kubernetes_only(profile, name):
    outside = defects.find(profile, name).plant_outside is not defects.Defect.plant_outside
    assert changes_of(profile, name) or outside


@pytest.mark.parametrize("profile, name", [param(*each) for each in EVERY])
def test_defect_is_the_same_each_time_it_is_planted(profile, name):
    first, second = changes_of(profile, name), changes_of(profile, name)
    assert first == second


def test_token_keys_differ_gives_one_node_another_key():
    changes = changes_of(HARBOR_1_2, "token-keys-differ")
    (data,) = [change for path, change in changes.items() if path.endswith("data.other-pkey")]
    assert "BEGIN RSA PRIVATE KEY" in data[1]
    after = manifests_of(HARBOR_1_2)
    defects.find(HARBOR_1_2, "token-keys-differ").change(after)
    volume = objects.pod_of(after, "ui-rc")["volumes"][0]
    keys = {item["path"]: item["key"] for item in volume["configMap"]["items"]}
    assert [keys[f"{node}/private_key.pem"] for node in settings.NODES] == ["pkey", "pkey", "other-pkey"]
    assert len(keys) == 9


def test_front_door_body_limit_changes_one_line():
    ((path, (before, after)),) = changes_of(HARBOR_1_2, "front-door-body-limit").items()
    assert path == "ConfigMap harbor-nginx-config data.config"
    assert after == before.replace("client_max_body_size 0;", "client_max_body_size 10m;") != before


def test_what_lies_outside_kubernetes_is_planted_and_healed(lab):
    defects.plant(lab, "database-user-without-grants")
    assert "REVOKE ALL PRIVILEGES" in lab.statements[-1]
    defects.heal(lab)
    assert "GRANT ALL PRIVILEGES" in lab.statements[-1]
    defects.heal(lab)
    assert len(lab.statements) == 2, "what is not planted is not healed"


@pytest.mark.parametrize(
    "profile, name, changes",
    [
        pytest.param(profile, name, changes, id=f"{profile.name} {name}")
        for profile, exact in ((HARBOR_1_2, EXACT_CHANGES), (HARBOR_2, EXACT_CHANGES_2))
        for name, changes in exact.items()
    ],
)
def test_defect_changes_exactly_what_it_says(profile, name, changes):
    assert changes_of(profile, name) == changes


def test_csrf_key_of_each_node_has_the_length_that_a_core_accepts():
    after = manifests_of(HARBOR_2)
    defects.find(HARBOR_2, "csrf-keys-differ").change(after)
    node, key = objects.container_of(after, "harbor-core")["env"][-2:]
    assert (node["name"], key["name"]) == ("NODE_NAME", "CSRF_KEY")
    keys = {key["value"].replace("$(NODE_NAME)", name) for name in settings.NODES}
    assert {len(each) for each in keys} == {32}
    assert len(keys) == len(settings.NODES)


def test_token_keys_differ_gives_one_core_another_key():
    after = manifests_of(HARBOR_2)
    defects.find(HARBOR_2, "token-keys-differ").change(after)
    (volume,) = [
        each
        for each in objects.pod_of(after, "harbor-core")["volumes"]
        if each["name"] == "token-service-private-key"
    ]
    keys = {item["path"]: item["key"] for item in volume["secret"]["items"]}
    assert [keys[f"{node}/tls.key"] for node in settings.NODES] == ["tls.key", "tls.key", "other-tls.key"]
    assert "other-tls.key" in objects.find(after, "Secret", "harbor-core")["data"]


def test_a_defect_that_keeps_pods_from_starting_is_taken_away_while_they_are_deployed_again(lab):
    lab.profile = HARBOR_2
    for _ in range(2):
        defects.plant(lab, "dirty-migration")
    said = [statement.rpartition(" ")[2] for statement in lab.statements]
    assert said == ["true", "false", "true"]


def test_one_mistake_may_come_in_several_ways_each_named_after_its_file():
    of_limit = [name for name in defects.every(HARBOR_2) if name.startswith("front-door-body-limit")]
    assert [name.removeprefix("front-door-body-limit") for name in of_limit] == [
        "",
        "-on-one-replica",
        "-unread",
    ]


@pytest.mark.parametrize("profile", profiles.ALL.values(), ids=lambda profile: profile.name)
def test_every_module_is_a_defect_and_its_file_names_it(profile):
    assert {"token-keys-differ", "session-store-missing"} <= defects.every(profile).keys()
    assert list(defects.every(profile)) == sorted(defects.every(profile))


@pytest.mark.parametrize("profile", profiles.ALL.values(), ids=lambda profile: profile.name)
def test_each_defect_is_in_one_group_and_no_check_is_red_for_two_of_a_group(profile):
    found = groups(profile)
    assert sorted(name for group in found for name in group.split("+")) == list(defects.every(profile))
    for group in found:
        parts = [defects.find(profile, name) for name in group.split("+")]
        assert len(defects.find(profile, group).turns_red) == sum(len(each.turns_red) for each in parts)


def leaves(node, path=""):
    """All values of a structure by their paths, in which the name of an item stands for its place in a list."""
    if isinstance(node, dict) and node:
        return {
            key: value for name, each in node.items() for key, value in leaves(each, f"{path}.{name}").items()
        }
    if isinstance(node, list) and node and all(isinstance(each, dict) and "name" in each for each in node):
        return leaves({each["name"]: each for each in node}, path)
    return {path: repr(node)}


def changed_leaves(profile, name):
    before, after = map(leaves, without_and_with(profile, name))
    return {
        path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    }


@pytest.mark.parametrize("profile", profiles.ALL.values(), ids=lambda profile: profile.name)
def test_none_of_a_group_takes_back_what_another_changes_in_the_manifests(profile):
    for group in (each for each in groups(profile) if "+" in each):
        alone = [changed_leaves(profile, name) for name in group.split("+")]
        for path, value in changed_leaves(profile, group).items():
            values = [each[path] for each in alone if path in each]
            # Of a file each changes its own line.
            assert values == [value] or (values and path.startswith(".ConfigMap ")), (group, path)
        assert changed_leaves(profile, group).keys() == set().union(*alone), group


def test_several_are_planted_and_healed_together(lab):
    lab.profile = HARBOR_2
    both = "quota-not-counted+token-lasts-for-days"
    defects.plant(lab, both)
    assert defects.planted(lab.profile) == both
    assert [" lab_not_counted " in each or "token_expiration" in each for each in lab.statements] == [
        True
    ] * 2
    defects.heal(lab)
    assert ["DELETE" in each or "DROP" in each for each in lab.statements[2:]] == [True] * 2


def test_two_that_turn_the_same_check_red_are_not_planted_together(lab):
    lab.profile = HARBOR_2
    with pytest.raises(LabError, match="and other checks"):
        defects.plant(lab, "disruption-budgets-absent+disruption-budgets-overlap")


def test_an_unknown_name_is_answered_with_the_nearest_and_all():
    with pytest.raises(defects.UnknownDefect, match="Did you mean session-store-missing") as raised:
        defects.find(HARBOR_1_2, "session-store-mising")
    assert all(name in str(raised.value) for name in defects.every(HARBOR_1_2))
    with pytest.raises(defects.UnknownDefect) as raised:
        defects.find(HARBOR_1_2, "zzz")
    assert "Did you mean" not in str(raised.value)


def test_planting_is_remembered_until_healed(lab):
    assert defects.planted(lab.profile) is None
    defects.plant(lab, "session-store-missing")
    assert defects.planted(lab.profile) == "session-store-missing"
    assert defects.heal(lab) == "session-store-missing"
    assert defects.planted(lab.profile) is None
    assert lab.done == [defects.find(HARBOR_1_2, "session-store-missing").change, None]


@pytest.mark.parametrize("planted_before", [False, True])
def test_a_half_planted_or_half_healed_defect_is_remembered(lab, planted_before):
    if planted_before:
        defects.plant(lab, "session-store-missing")
    lab.fails = True
    with pytest.raises(KeyboardInterrupt):
        defects.heal(lab) if planted_before else defects.plant(lab, "session-store-missing")
    assert defects.planted(lab.profile) == "session-store-missing"


def test_a_defect_of_one_layout_is_planted_there_only(lab):
    lab.profile = HARBOR_2
    with pytest.raises(WrongLayout, match="up --layout object-store"):
        defects.plant(lab, "redirect-target-unreachable")
    assert defects.planted(lab.profile) is None
    layouts.choose(lab.profile, "object-store")
    defects.plant(lab, "redirect-target-unreachable")
    assert defects.planted(lab.profile) == "redirect-target-unreachable"


def test_one_defect_at_a_time(lab):
    defects.plant(lab, "session-store-missing")
    with pytest.raises(defects.AlreadyPlanted, match="session-store-missing"):
        defects.plant(lab, "registry-config-mounted-elsewhere")
    defects.plant(lab, "session-store-missing")
    assert len(lab.done) == 2


def test_one_is_planted_instead_of_another_which_is_healed_on_the_way(lab):
    defects.plant(lab, "database-user-without-grants")
    defects.plant(lab, "session-store-missing", instead=True)
    assert "GRANT ALL PRIVILEGES" in lab.statements[-1]
    assert defects.planted(lab.profile) == "session-store-missing"
    assert len(lab.done) == 2


def test_what_was_healed_outside_already_is_not_healed_there_again(lab):
    defects.plant(lab, "database-user-without-grants")
    before = len(lab.statements)
    assert defects.heal_outside(lab) == "database-user-without-grants"
    defects.plant(lab, "session-store-missing", instead=True)
    assert len(lab.statements) == before + 1


def test_an_unknown_defect_changes_nothing(lab):
    with pytest.raises(defects.UnknownDefect):
        defects.plant(lab, "nonsense")
    assert lab.done == []
    assert defects.planted(lab.profile) is None


@pytest.mark.parametrize("layout, settled", [(layouts.REFERENCE, True), (layouts.GIVEN, False)])
def test_what_is_in_use_is_made_again_where_it_can_be(lab, monkeypatch, layout, settled):
    """With a defect it may not be possible, and in manifests of somebody's own it is not looked for."""
    asked = []

    def refuse(*words):
        asked.append(words)
        raise CommandFailed(["kubectl", "exec"], 7, "no core runs")

    lab.profile, lab.kubectl = HARBOR_2, refuse
    monkeypatch.setattr(layouts, "chosen", lambda profile: layout)
    defects.settle(lab)
    assert bool(asked) is settled
