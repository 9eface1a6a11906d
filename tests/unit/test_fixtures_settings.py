"""Settings: which source wins, and what a wrong one is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harbor_verify.clients import certificates
from harbor_verify.errors import SettingsError
from harbor_verify.settings import Settings, load


def test_a_flag_wins_over_a_variable_and_that_over_the_file(tmp_path):
    (tmp_path / "harbor-verify.toml").write_text(
        'namespace = "file"\ncontext = "file"\nadmin_user = "file"\n'
    )
    environment = {"HARBOR_VERIFY_NAMESPACE": "variable", "HARBOR_VERIFY_CONTEXT": "variable", "PATH": "/bin"}
    settings = load({"namespace": "flag"}, environment, tmp_path)
    assert (settings.namespace, settings.context, settings.admin_user) == ("flag", "variable", "file")
    assert settings.request_timeout_s == Settings.model_fields["request_timeout_s"].default


def test_the_file_is_found_by_flag_or_variable(tmp_path):
    (tmp_path / "a.toml").write_text('namespace = "a"')
    (tmp_path / "b.toml").write_text('namespace = "b"')
    assert load({}, {"HARBOR_VERIFY_SETTINGS_FILE": "b.toml"}, tmp_path).namespace == "b"
    both = load({"settings_file": "a.toml"}, {"HARBOR_VERIFY_SETTINGS_FILE": "b.toml"}, tmp_path)
    assert both.namespace == "a"


@pytest.mark.parametrize("content", [None, "namespace =", b"\xff\xfe"])
def test_a_file_that_was_asked_for_and_cannot_be_read_is_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / "mine.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=r"mine\.toml"):
        load({"settings_file": "mine.toml"}, {}, tmp_path)


def test_everything_wrong_is_told_at_once_where_it_was_said_and_without_secrets(tmp_path):
    (tmp_path / "harbor-verify.toml").write_text("lab = 7\n")
    environment = {"HARBOR_VERIFY_NAMESPCE": "x", "HARBOR_VERIFY_OUTAGE_BUDGET_MS": "-1"}
    with pytest.raises(SettingsError) as wrong:
        load({"harbor_url": "s3cret-in-a-bad-url"}, environment, tmp_path)
    told = str(wrong.value)
    assert "--harbor-url" in told
    assert "HARBOR_VERIFY_NAMESPCE: there is no such setting; did you mean namespace?" in told
    assert "HARBOR_VERIFY_OUTAGE_BUDGET_MS" in told
    assert "lab in the settings file" in told
    assert "s3cret" not in told


def test_an_empty_variable_is_none(tmp_path):
    assert load({}, {"HARBOR_VERIFY_HARBOR_URL": ""}, tmp_path).harbor_url is None


def test_a_password_is_never_shown(tmp_path):
    settings = load({}, {"HARBOR_VERIFY_ADMIN_PASSWORD": "Harbor12345"}, tmp_path)
    assert "Harbor12345" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert settings.admin_password.get_secret_value() == "Harbor12345"


def test_a_password_on_a_command_line_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(
        SettingsError, match=r"--admin-password.*\(ps\).*HARBOR_VERIFY_ADMIN_PASSWORD"
    ) as told:
        load({"admin_password": "Harbor12345"}, {}, tmp_path)
    assert "Harbor12345" not in str(told.value)


def test_certificates_are_verified_by_this_machines_authorities_unless_one_says_otherwise(
    tmp_path, monkeypatch
):
    given_to_the_machine = tmp_path / "ca-certificates.crt"
    given_to_the_machine.write_text("the house's own")
    monkeypatch.setenv("SSL_CERT_FILE", str(given_to_the_machine))
    assert load({}, {}, tmp_path).verify == str(given_to_the_machine)
    assert load({"insecure": True}, {}, tmp_path).verify is False


@pytest.mark.parametrize("exists", [True, False])
def test_authorities_that_openssl_finds_in_a_folder_alone_are_those_of_the_systems_file(
    tmp_path, monkeypatch, exists
):
    systems = tmp_path / "ca-bundle.crt"
    if exists:
        systems.write_text("the house's own")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no-such-file"))
    monkeypatch.setattr(certificates, "SYSTEMS_FILES", (str(tmp_path / "elsewhere"), str(systems)))
    assert (certificates.system_authorities() == systems) is exists
    assert certificates.system_authorities().is_file()


def test_authorities_of_a_file_are_beside_this_machines(tmp_path):
    file = tmp_path / "private.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nprivate\n")
    text = Path(str(load({"ca_file": str(file)}, {}, tmp_path).verify)).read_text()
    assert text.endswith(file.read_text())
    assert text.count("BEGIN CERTIFICATE") > 50


def test_what_is_beside_this_machines_authorities_goes_with_the_process(tmp_path):
    file = tmp_path / "private.pem"
    file.write_text("private")
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from harbor_verify.settings import *; print(Settings(ca_file='private.pem').verify)",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(said).parent == tmp_path
    assert list(tmp_path.iterdir()) == [file]


def test_the_url_has_no_slash_at_its_end(tmp_path):
    assert load({"harbor_url": "http://h.example:31777"}, {}, tmp_path).url == "http://h.example:31777"
