"""`harbor-verify audit` on a Harbor of a few lines: reports, exit codes, and going on."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from harbor_verify.audit import command, harbor, records
from harbor_verify.audit.walk import Walk
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import StoreRefused, TargetUnreachable, UnexpectedAnswer
from harbor_verify.model.contents import BlobRow
from tests.unit.damaged_registry import DamagedRegistry, Storage
from tests.unit.test_audit_walk import Contents

ENVIRONMENT = {"HARBOR_VERIFY_ADMIN_PASSWORD": "hush"}


@pytest.fixture
def stored():
    return Storage()


@pytest.fixture
def run(monkeypatch, tmp_path, stored):
    """`run(*words, known=…)`: the exit code of an audit of a Harbor that knows these."""
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def redis(target, store):
        yield stored

    with DamagedRegistry(stored).running() as server:
        monkeypatch.setattr(harbor, "sources", lambda target: [server.source("pod registry-0")])
        monkeypatch.setattr(harbor, "cache_of", lambda target: "redis:6379")
        monkeypatch.setattr(harbor, "open_cache", redis)
        monkeypatch.setattr(harbor, "root_of", lambda target, replica: None)
        monkeypatch.setattr(harbor, "knows_repository", lambda target, name: False)
        monkeypatch.setattr(command.providers, "provide", lambda settings: None)
        monkeypatch.setattr(command.known_secrets, "learn", lambda redaction, deployment: [])

        def audit(*words, known=(), deleted=(), contents=None, sql=None, url="https://h"):
            @contextmanager
            def database():
                if sql:
                    raise sql
                yield None

            front = SimpleNamespace(
                projects=lambda name, login: {"p": SimpleNamespace(is_proxy=False)},
                repositories=lambda project, login: sorted({each.repository for each in known}),
                artifacts=lambda name, login: [each.digest for each in known if each.repository == name],
                has_artifact=lambda name, digest, login: digest not in {each.digest for each in deleted},
            )
            target = SimpleNamespace(
                url=url,
                credentials=Credentials("admin", "hush"),
                deployment=None,
                profile=SimpleNamespace(contents=contents),
                front_door=front,
                sql=database,
                replicas=lambda role: [SimpleNamespace(ready=True)],
                close=lambda: None,
            )
            monkeypatch.setattr(command, "reach", lambda access, settings: target)
            return command.main([*words], ENVIRONMENT)

        yield audit


def report(tmp_path):
    (folder,) = (tmp_path / "reports" / "audits").iterdir()
    return folder, json.loads((folder / "audit.json").read_text())


def test_a_harbor_whose_images_are_whole_is_told_so(run, stored, tmp_path, capsys):
    assert run(known=[stored.push("p/r")[1]]) == 0
    _, told = report(tmp_path)
    assert told["ended"] == "whole"
    assert told["counts"]["blobs_read"] == 2
    output = capsys.readouterr()
    assert "Every image is whole." in output.out
    assert "reading configurations and layers" in output.err


def test_what_is_wrong_is_told_with_place_and_what_to_do(run, stored, tmp_path, capsys):
    image, known = stored.push("p/r")
    del stored.files[image.layer_digest]
    assert run(known=[known]) == 1
    (finding,) = report(tmp_path)[1]["findings"]
    assert finding["kind"] == "stale in Redis"
    assert finding["images"] == [str(known)]
    assert finding["places"] == ["pod registry-0"]
    text = capsys.readouterr().out
    assert f"part of {known} at pod registry-0: GET is 200 and announces" in text
    assert "What to do: Delete the keys `blobs::*`" in text
    assert "Not as it must be: 1 blob, part of 1 artifact." in text


def test_an_image_that_was_deleted_meanwhile_is_no_finding(run, stored, tmp_path):
    image, known = stored.push("p/r")
    del stored.files[image.layer_digest]
    assert run(known=[known], deleted=[known]) == 0
    assert "deleted meanwhile" in report(tmp_path)[1]["remarks"][-1]


def test_leftovers_are_advice(run, stored, tmp_path):
    image, known = stored.push("p/r")
    holdings = [(known.digest, image.layer_digest), (known.digest, image.configuration_digest)]
    contents = Contents([known], holdings, [BlobRow("sha256:d", 5, "deleting", 9000)])
    assert run(known=[known], contents=contents) == 0
    assert run("--strict-advice", known=[known], contents=contents) == 1


def test_a_database_that_is_out_of_reach_was_not_asked_and_so_not_all_is_known(run, stored, capsys):
    refused = StoreRefused("database: no")
    assert run(known=[stored.push("p/r")[1]], contents=Contents(), sql=refused) == 1
    assert "database: it was NOT asked: database: no" in capsys.readouterr().out


def test_an_interrupted_one_reports_what_it_saw_and_goes_on(run, stored, tmp_path, monkeypatch, capsys):
    known = [stored.push("p/r", content=bytes([number]))[1] for number in range(3)]
    whole = Walk.read_blobs

    def interrupted(walk):
        raise KeyboardInterrupt

    monkeypatch.setattr(Walk, "read_blobs", interrupted)
    assert run(known=known) == 2
    folder, told = report(tmp_path)
    assert told["counts"]["artifacts_read"] == 3
    assert f"--resume {folder.relative_to(tmp_path)} goes on" in capsys.readouterr().err
    monkeypatch.setattr(Walk, "read_blobs", whole)
    assert run("--resume", str(folder), known=[]) == 0
    assert report(tmp_path)[1]["counts"]["blobs_read"] == 6


def test_what_cannot_begin_ends_with_4(run, monkeypatch, tmp_path, capsys):
    assert run("--resume", str(tmp_path)) == 4
    assert "there is no audit.sqlite in it" in capsys.readouterr().err

    def unreachable(access, settings):
        raise TargetUnreachable("nobody there, password hush")

    assert run(known=[]) == 0
    folder, _ = report(tmp_path)
    assert run("--resume", str(folder), url="https://other") == 4
    monkeypatch.setattr(command, "reach", unreachable)
    assert command.main([], ENVIRONMENT) == 4


def test_a_listing_that_harbor_refuses_ends_with_4(run, stored, monkeypatch):
    def refused(*_):
        raise UnexpectedAnswer("GET /projects → 500", status=500)

    monkeypatch.setattr(records, "list_api", refused)
    assert run(known=[]) == 4


def test_json_is_printed_where_it_is_asked_for(run, stored, capsys):
    assert run("--json", known=[stored.push("p/r")[1]]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_what_chooses_checks_is_no_flag_of_it(capsys):
    for flag in ("--check=storage.*", "--gate", "--preflight"):
        with pytest.raises(SystemExit):
            command.main([flag])
        assert "unrecognized arguments" in capsys.readouterr().err
