"""What `harbor-verify baseline` leaves and refuses; what could not be found out is neither a pass nor a fail."""

import json
import stat
import time
import tracemalloc
from pathlib import Path

import jsonschema
import pytest

from harbor_verify import entry
from harbor_verify.baseline import command, file, logins
from harbor_verify.baseline.comparison import RULES
from harbor_verify.baseline.fingerprints import Fingerprints
from harbor_verify.errors import TargetUnreachable
from harbor_verify.settings import Settings
from tests.unit.test_reports_for_machines import REPOSITORY, closed
from tests.unit.upgraded_harbor import ADMIN, ROBOT, artifact, running, token

SCHEMA = REPOSITORY / "docs" / "baseline.schema.json"


@pytest.fixture
def harbor(monkeypatch, tmp_path):
    with running(monkeypatch, tmp_path) as harbor:
        yield harbor


@pytest.fixture
def check(harbor, capsys):
    """`check()`: (exit code, what was found)."""
    return lambda *words: harbor.check(capsys, *words)


def kept():
    return json.loads(Path("before.json").read_text())


def unknown(found):
    return {(each["part"], each["thing"]) for each in found["unknown"]}


def broken(found):
    return {(each["part"], each["thing"]) for each in found["differences"] if each["level"] == "broken"}


def test_the_file_is_as_its_schema_says_and_for_its_owner_alone(harbor):
    assert harbor.run("save") == 0
    schema = json.loads(SCHEMA.read_text(), object_hook=closed)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(kept(), schema)
    assert schema["$id"] == file.SCHEMA
    assert set(schema["properties"]["parts"]["properties"]) == set(RULES)
    assert stat.S_IMODE(Path("before.json").stat().st_mode) == 0o600
    assert [each.name for each in Path().iterdir()] == ["before.json"]


def test_no_secret_is_in_the_file_nor_told(harbor, capsys):
    planted = {ADMIN.password, "webhook-secret-0", "r0bot-secret-0", "planted-in-a-setting"}
    harbor.logins[ROBOT] = "r0bot-secret-0"
    Path("logins.json").write_text(json.dumps({ROBOT: "r0bot-secret-0"}))
    harbor.api["/configurations"]["ldap_search_password"] = {"value": "planted-in-a-setting"}
    harbor.api["/configurations"]["oidc_endpoint"] = {"value": f"https://me:{ADMIN.password}@h"}
    planted |= {text for text in harbor.secret("harbor-core").values() if len(text) > 5}
    assert harbor.run("save", "--logins", "logins.json") == 0
    harbor.upgrade()
    harbor.secret("harbor-core")["secretKey"] = "another-key-1234"
    harbor.api["/configurations"]["ldap_search_password"] = {"value": "planted-anew"}
    harbor.run("check", "--logins", "logins.json")
    output = capsys.readouterr()
    told = Path("before.json").read_text() + output.out + output.err
    assert not [secret for secret in planted | {"another-key-1234", "planted-anew"} if secret in told]
    assert "ldap_search_password: is fingerprint:" in output.out


def test_a_fingerprint_tells_secrets_apart_and_is_another_in_each_baseline():
    first, second = Fingerprints(), Fingerprints()
    assert first.of("a") == Fingerprints(first.salt).of("a") != first.of("b")
    assert first.of("a") != second.of("a")


def test_a_baseline_that_is_there_is_not_overwritten_unasked(harbor, capsys):
    assert harbor.run("save") == 0
    assert harbor.run("save") == 4
    assert "it may be the only baseline of before" in capsys.readouterr().err
    assert harbor.run("save", "--force") == 0


def test_what_breaks_off_leaves_what_was_there(harbor, monkeypatch):
    assert harbor.run("save") == 0
    before = Path("before.json").read_bytes()

    def interrupted(writer):
        raise KeyboardInterrupt

    monkeypatch.setattr(file.Writer, "close", interrupted)
    assert harbor.run("save", "--force") == 2
    assert Path("before.json").read_bytes() == before
    assert [each.name for each in Path().iterdir()] == ["before.json"]


def test_a_part_that_cannot_be_read_is_told_when_it_is_kept_and_is_unknown_ever_after(harbor, check, capsys):
    harbor.refused["/quotas"] = 500
    assert harbor.run("save") == 1
    assert "NOT kept: quotas: GET /api/v2.0/quotas → 500" in capsys.readouterr().err
    assert kept()["parts"]["quotas"]["entries"] == {}
    harbor.refused.clear()
    code, found = check()
    assert (code, unknown(found), broken(found)) == (1, {("quotas", "")}, set())


def test_a_part_that_cannot_be_read_any_more_is_unknown_and_not_lost(harbor, check):
    assert harbor.run("save") == 0
    harbor.refused["/projects"] = 500
    code, found = check()
    assert code == 1
    assert unknown(found) >= {("projects", ""), ("images", ""), ("members", "")}
    assert not broken(found)


def test_a_list_that_a_harbor_has_not_is_a_remark_and_gone_where_it_had_it(harbor, check, capsys):
    for status in (404, 501):
        harbor.refused["/replication/policies"] = status
        assert harbor.run("save", "--force") == 0
        told = f"remark: replication rules: this Harbor has no such list ({status})"
        assert told in capsys.readouterr().err
        assert check()[0] == 0
    harbor.refused.clear()
    assert harbor.run("save", "--force") == 0
    harbor.refused["/replication/policies"] = 404
    assert broken(check()[1]) == {("replication rules", "nightly")}


def test_of_one_repository_that_is_refused_the_rest_is_compared(harbor, check):
    assert harbor.run("save") == 0
    harbor.refused["/projects/library/repositories/web/artifacts"] = 500
    harbor.api["/projects/private/repositories/app/artifacts"].clear()
    code, found = check()
    assert (code, unknown(found)) == (1, {("images", "library/web")})
    assert broken(found) == {("images", "private/app")}


def test_of_a_project_that_is_refused_nothing_is_called_gone(harbor, check):
    assert harbor.run("save") == 0
    harbor.refused["/projects/library/repositories"] = 500
    code, found = check()
    assert (code, unknown(found), broken(found)) == (1, {("images", "library/")}, set())


def test_after_ten_in_a_row_that_are_refused_the_rest_is_not_asked_for(harbor, check):
    names = [f"library/{number}" for number in range(30)]
    harbor.api["/projects/library/repositories"] = [{"name": name, "artifact_count": 1} for name in names]
    for number in range(30):
        harbor.refused[f"/projects/library/repositories/{number}/artifacts"] = 500
    assert harbor.run("save") == 1
    assert sum("artifacts" in path for path in harbor.asked) == 10
    assert "" in kept()["parts"]["images"]["unread"]


def test_a_right_that_is_missing_leaves_its_part_unknown(harbor, check):
    assert harbor.run("save") == 0
    harbor.forbidden = (("harbor", "secrets"),)
    code, found = check()
    assert code == 1
    assert ("secrets", "") in unknown(found)
    assert not broken(found)


def test_a_harbor_that_is_down_is_compared_by_what_the_cluster_tells(harbor, check, monkeypatch):
    assert harbor.run("save") == 0
    harbor.secret("harbor-core")["secretKey"] = "fedcba9876543210"

    def down(target):
        raise TargetUnreachable("Harbor is down: no core replica answers")

    monkeypatch.setattr(entry, "require", down)
    code, found = check()
    assert code == 1
    assert broken(found) == {("secrets", "web core /etc/core/key")}
    assert ("images", "") in unknown(found)
    assert ("robots", "") in unknown(found)


def test_a_rollout_that_goes_on_is_too_early_to_judge(harbor, check):
    assert harbor.run("save") == 0
    harbor.objects["Deployment harbor-core"]["status"] = {"replicas": 4, "updatedReplicas": 2}
    code, found = check()
    assert (code, unknown(found), broken(found)) == (1, {("workloads", "web")}, set())


def test_what_a_list_has_moved_to_another_page_meanwhile_is_not_gone(harbor, check, monkeypatch):
    assert harbor.run("save") == 0
    whole, asked = list(harbor.api["/users"]), []

    class Moving(list):
        def __getitem__(self, which):
            asked.append(which)
            return [] if len(asked) == 1 else whole[which]

    harbor.api["/users"] = Moving()
    code, found = check()
    assert (code, found["differences"], len(asked)) == (0, [], 2)


def test_what_a_list_shows_twice_meanwhile_is_not_new(harbor, check):
    assert harbor.run("save") == 0
    harbor.api["/users"] *= 2
    code, found = check()
    assert (code, found["differences"], found["unknown"]) == (0, [], [])


def test_an_artifact_without_a_tag_that_is_gone_is_suspicious(harbor, check):
    assert harbor.run("save") == 0
    harbor.api["/projects/library/repositories/web/artifacts"].pop()
    code, found = check()
    assert code == 0
    assert [each["level"] for each in found["differences"]] == ["suspicious"]
    assert check("--strict-advice")[0] == 1


def test_what_people_do_is_expected_and_what_only_some_may_do_is_suspicious(harbor, check):
    assert harbor.run("save") == 0
    harbor.api["/users"].append({"username": "new", "user_id": 9, "sysadmin_flag": True})
    harbor.api["/projects/library/repositories"].append({"name": "library/new", "artifact_count": 1})
    harbor.api["/projects/library/repositories/new/artifacts"] = [artifact("sha256:3", "1")]
    code, found = check()
    levels = {each["part"]: each["level"] for each in found["differences"]}
    assert (code, levels) == (0, {"users": "suspicious", "images": "expected"})


def test_logins_of_before_are_tried_again_and_not_kept(harbor, check):
    Path("logins.json").write_text(json.dumps({ROBOT: harbor.logins[ROBOT], "mira": "wrong"}))
    assert harbor.run("save", "--logins", "logins.json") == 0
    assert kept()["parts"]["logins"]["entries"] == {ROBOT: True, "mira": False}
    assert check("--logins", "logins.json")[0] == 0
    assert unknown(check()[1]) == {("logins", "")}
    harbor.logins[ROBOT] = "of the robot that was made anew"
    code, found = check("--logins", "logins.json")
    assert (code, broken(found)) == (1, {("logins", ROBOT)})


def session_of_before(harbor, **changed):
    text = token("key-1")
    harbor.tokens.add(text)
    document = {"user": ADMIN.user, "cookie": "cookie-of-before", "token": text}
    times = {"made": time.time(), "token_ends": time.time() + 1800}
    Path("before.json.session").write_text(json.dumps(document | times | changed))


def test_a_session_and_a_token_of_before_are_honoured_or_their_end_is_told(harbor, check):
    assert harbor.run("save") == 0
    session_of_before(harbor)
    code, found = check()
    assert (code, len(found["remarks"])) == (0, 2)
    assert all("is honoured by every replica" in remark for remark in found["remarks"])
    harbor.sessions.clear()
    harbor.tokens.clear()
    code, found = check()
    assert {(each["thing"], each["level"]) for each in found["differences"]} == {
        ("session", "suspicious"),
        ("token", "broken"),
    }
    session_of_before(harbor, made=time.time() - 7200, token_ends=time.time() - 1)
    harbor.tokens.clear()
    code, found = check()
    assert (code, found["differences"]) == (0, [])
    assert all("ended by its own time" in remark for remark in found["remarks"])


def test_a_session_is_made_only_where_it_is_asked_for_and_kept_beside(harbor, monkeypatch):
    monkeypatch.setattr(
        "harbor_verify.profiles.harbor_2.api.Harbor2.sign_in",
        lambda api, credentials: logins.Session(credentials.user, "made-for-this"),
    )
    assert harbor.run("save") == 0
    assert not Path("before.json.session").exists()
    assert harbor.run("save", "--force", "--make-session") == 0
    assert "made-for-this" not in Path("before.json").read_text()
    assert json.loads(Path("before.json.session").read_text())["cookie"] == "made-for-this"
    assert stat.S_IMODE(Path("before.json.session").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read as a baseline"),
        ("[]", "its schema is None"),
        ('{"schema": "harbor-verify/baseline/9"}', "its schema is 'harbor-verify/baseline/9'"),
        ('{"schema": "harbor-verify/baseline/1", "about": {}, "salt": "x", "parts": {}}', "is damaged"),
    ],
)
def test_a_file_that_is_no_baseline_ends_with_4(harbor, capsys, text, why):
    Path("before.json").write_text(text)
    assert harbor.run("check") == 4
    assert why in capsys.readouterr().err


def test_a_baseline_of_another_harbor_ends_with_4(harbor, capsys):
    assert harbor.run("save") == 0
    document = kept()
    document["about"] |= {"url": "https://other", "namespace": "other"}
    Path("before.json").write_text(json.dumps(document))
    assert harbor.run("check") == 4
    assert "the baseline is of https://other in namespace other" in capsys.readouterr().err


def test_text_tells_the_worst_first_with_what_to_do(harbor, capsys):
    assert harbor.run("save") == 0
    harbor.upgrade()
    harbor.api["/users"].clear()
    assert harbor.run("check") == 1
    text = capsys.readouterr().out
    assert text.index("BROKEN") < text.index("expected:")
    assert "users: mira: is gone" in text
    assert "→ Look at the audit log first" in text
    assert "1 broken, 0 suspicious" in text.splitlines()[-1]


def test_twenty_thousand_repositories_are_written_in_little_memory(tmp_path):
    tracemalloc.start()
    with file.replacing(tmp_path / "b.json") as stream:
        writer = file.Writer(stream, {}, "00")
        with writer.part("images") as part:
            for number in range(20_000):
                part.add(f"library/{number}", {"tags": {"latest": "sha256:0"}, "untagged": []})
        writer.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert len(file.load(tmp_path / "b.json").part("images").entries) == 20_000


def test_help_says_what_each_exit_code_means(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    text = capsys.readouterr().out
    assert "exit codes:" in text
    assert "--make-session" in text
    assert "--database-address" in text
    assert "--large-layer-mib" not in text


def test_the_settings_that_it_takes_are_settings():
    assert command._SETTINGS - {"settings_file"} <= set(Settings.model_fields)
