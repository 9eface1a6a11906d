"""An upgrade that goes well is told as expected; each way of spoiling it is called broken, by name, alone."""

import json

import pytest

from tests.unit.upgraded_harbor import LAYER, NEW, OLD, OTHER, ROBOT, artifact, running


@pytest.fixture
def harbor(monkeypatch, tmp_path):
    with running(monkeypatch, tmp_path) as harbor:
        yield harbor


@pytest.fixture
def baseline(harbor):
    return harbor.run


@pytest.fixture
def check(harbor, capsys):
    """`check()`: (exit code, what was found)."""
    return lambda *words: harbor.check(capsys, *words)


def things(found, level):
    return {(each["part"], each["thing"]) for each in found["differences"] if each["level"] == level}


def test_nothing_has_changed(baseline, check):
    assert baseline("save") == 0
    code, found = check()
    assert (code, found["differences"], found["unknown"]) == (0, [], [])


def test_an_upgrade_that_goes_well_is_nothing_but_expected(baseline, check, harbor):
    assert baseline("save") == 0
    harbor.upgrade()
    code, found = check("--strict-advice")
    assert {each["level"] for each in found["differences"]} == {"expected"}, found["differences"]
    assert (code, found["unknown"]) == (0, [])
    seen = {f"{each['part']} {each['thing']}: {each['observed']}" for each in found["differences"]}
    assert f"versions version: {OLD} → {NEW}" in seen
    assert "schema schema: version 150 → 180" in seen
    assert "images private/app: pushed again since: 2" in seen
    assert (
        "secrets registry registry /etc/registry/passwd: was written anew, as each rendering of the chart does it"
        in seen
    )


def core_of_before(harbor):
    harbor.version = OLD
    harbor.container("harbor-core")["image"] = f"docker.io/goharbor/harbor-core:{OLD}"


def dirty(harbor):
    harbor.dirty = True


def other_secret_key(harbor):
    harbor.secret("harbor-core")["secretKey"] = "fedcba9876543210"


def other_token_key(harbor):
    harbor.secret("harbor-core")["tls.key"] = "a key that this render made"


def short_csrf_key(harbor):
    harbor.secret("harbor-core")["CSRF_KEY"] = "k" * 31


def claim_replaced(harbor):
    harbor.objects["PersistentVolumeClaim harbor-registry"]["metadata"]["uid"] = "of-another-claim"


def claim_bound_elsewhere(harbor):
    text = json.dumps(harbor.objects).replace('claimName": "harbor-registry', 'claimName": "registry')
    harbor.objects = json.loads(text)
    spec = dict(harbor.objects["PersistentVolumeClaim harbor-registry"]["spec"])
    harbor.objects["other"] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "registry"},
        "spec": spec,
    }


def robot_gone(harbor):
    harbor.api["/robots?q=Level=project,ProjectID=1"].clear()


def robot_made_anew(harbor):
    harbor.api["/robots?q=Level=project,ProjectID=1"][0]["id"] = 70


def robot_may_nothing(harbor):
    harbor.api["/robots?q=Level=project,ProjectID=1"][0]["permissions"] = []


def schedule_gone(harbor):
    del harbor.api["/schedules"][0]


def tag_gone(harbor):
    harbor.api["/projects/library/repositories/web/artifacts"][0] = artifact(LAYER, "latest")


def digest_changed(harbor):
    harbor.api["/projects/library/repositories/a/b/artifacts"][0] = artifact(OTHER, "v1")


def repository_gone(harbor):
    del harbor.api["/projects/library/repositories"][1]


def quota_reset(harbor):
    harbor.api["/quotas"][1]["hard"]["storage"] = -1


def rollout_stuck(harbor):
    why = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "timed out",
    }
    status = {"replicas": 4, "updatedReplicas": 1, "conditions": [why]}
    harbor.objects["Deployment harbor-jobservice"]["status"] = status


def scaled_to_nothing(harbor):
    harbor.objects["Deployment harbor-jobservice"]["spec"]["replicas"] = 0


def user_gone(harbor):
    harbor.api["/users"].clear()


def member_gone(harbor):
    harbor.api["/projects/2/members"].clear()


def project_gone(harbor):
    """With all that is in it, which is told once."""
    harbor.api["/projects"].pop()
    harbor.api["/quotas"].pop()


def project_made_anew(harbor):
    harbor.api["/projects"][1]["project_id"] = 20
    harbor.api["/projects/20/members"] = harbor.api["/projects/2/members"]
    harbor.api["/robots?q=Level=project,ProjectID=20"] = []


def credentials_unreadable(harbor):
    harbor.registries_open = False


def registry_gone(harbor):
    harbor.api["/registries"].clear()


def rule_gone(harbor):
    harbor.api["/replication/policies"].clear()


def rule_off(harbor):
    harbor.api["/replication/policies"][0]["enabled"] = False


def retention_gone(harbor):
    harbor.api["/projects"][0]["metadata"].pop("retention_id")


def left_read_only(harbor):
    harbor.api["/configurations"]["read_only"]["value"] = True


def robots_called_otherwise(harbor):
    harbor.api["/configurations"]["robot_name_prefix"]["value"] = "bot-"


def images_elsewhere(harbor):
    files = harbor.objects["ConfigMap harbor-registry"]["data"]
    files["config.yml"] = files["config.yml"].replace("rootdirectory: /storage", "rootdirectory: /tmp")


CORE = "Deployment harbor/harbor-core"
SPOILT = [
    (core_of_before, {("schema", place) for place in (CORE, "core-0", "core-1", "core-2")}),
    (dirty, {("schema", "schema")}),
    (other_secret_key, {("secrets", "web core /etc/core/key")}),
    (other_token_key, {("secrets", "web core /etc/core/private_key.pem")}),
    (short_csrf_key, {("secrets", "web core CSRF_KEY")}),
    (claim_replaced, {("claims", "harbor-registry")}),
    (claim_bound_elsewhere, {("claims", "harbor-registry"), ("deployment", "images")}),
    (robot_gone, {("robots", f"library/{ROBOT}")}),
    (robot_made_anew, {("robots", f"library/{ROBOT}")}),
    (robot_may_nothing, {("robots", f"library/{ROBOT}")}),
    (schedule_gone, {("schedules", "GARBAGE_COLLECTION")}),
    (tag_gone, {("images", "library/web")}),
    (digest_changed, {("images", "library/a/b")}),
    (repository_gone, {("images", "library/a/b")}),
    (quota_reset, {("quotas", "private")}),
    (rollout_stuck, {("workloads", "job")}),
    (scaled_to_nothing, {("workloads", "job")}),
    (user_gone, {("users", "mira")}),
    (member_gone, {("members", "private/user mira")}),
    (project_gone, {("projects", "private")}),
    (project_made_anew, {("projects", "private")}),
    (credentials_unreadable, {("registries", "hub")}),
    (registry_gone, {("registries", "hub")}),
    (rule_gone, {("replication rules", "nightly")}),
    (rule_off, {("replication rules", "nightly")}),
    (retention_gone, {("policies", "library/retention")}),
    (left_read_only, {("settings", "read_only")}),
    (robots_called_otherwise, {("settings", "robot_name_prefix")}),
    (images_elsewhere, {("deployment", "images")}),
]


@pytest.mark.parametrize(("spoil", "broken"), SPOILT, ids=lambda each: getattr(each, "__name__", ""))
def test_each_way_of_spoiling_an_upgrade_is_called_broken_and_nothing_else_is(
    baseline, check, harbor, spoil, broken
):
    assert baseline("save") == 0
    harbor.upgrade()
    spoil(harbor)
    code, found = check()
    seen = {(part, thing if part != "schema" else _short(thing)) for part, thing in things(found, "broken")}
    assert seen == broken, found["differences"]
    assert (code, found["unknown"]) == (1, [])
    assert all(each["hint"] for each in found["differences"] if each["level"] != "expected")


def _short(thing):
    """pod harbor/harbor-core-0 (harbor-core-0 on node-1) → core-0"""
    return thing.partition("/harbor-")[2].partition(" ")[0] if thing.startswith("pod ") else thing


def test_a_secret_is_told_once_whatever_else_it_is_given_as(baseline, check, harbor):
    assert baseline("save") == 0
    harbor.secret("harbor-core")["secretKey"] = "fedcba9876543210"
    assert [each["thing"] for each in check()[1]["differences"]] == ["web core /etc/core/key"]


def test_the_tag_of_a_container_beside_harbors_own_is_no_version_of_harbor(baseline, check, harbor):
    assert baseline("save") == 0
    harbor.upgrade()
    beside = {"name": "mesh", "image": f"mesh/proxy:{OLD}"}
    harbor.objects["Deployment harbor-core"]["spec"]["template"]["spec"]["containers"].insert(0, beside)
    assert not things(check()[1], "broken")


def test_there_are_at_least_fifteen_ways():
    assert len(SPOILT) >= 15
