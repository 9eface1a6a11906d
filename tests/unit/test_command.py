"""The command `harbor-verify`: from any folder, with pytest's words and with none."""

import shutil
import subprocess
import sys
import tomllib

import pytest

from harbor_verify import command

REPOSITORY = command.suites().parent


def run(folder, *words, code=REPOSITORY):
    process = subprocess.run(
        [sys.executable, "-m", "harbor_verify", *words],
        cwd=folder,
        env={"PYTHONPATH": str(code), "PATH": "/usr/bin:/bin", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return process.returncode, process.stdout + process.stderr


def test_from_an_empty_folder_and_without_a_password_it_says_what_is_missing_and_exits_with_4(tmp_path):
    code, output = run(tmp_path, "--namespace", "harbor")
    assert code == 4
    assert "HARBOR_VERIFY_ADMIN_PASSWORD" in output
    assert "Traceback" not in output


def test_installed_it_finds_checks_and_fixtures_in_the_package_and_takes_no_settings_of_pytest_from_where_it_is(
    tmp_path,
):
    code, folder = tmp_path / "site-packages", tmp_path / "anywhere"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-flag\n")
    shutil.copytree(REPOSITORY / "harbor_verify", code / "harbor_verify")
    inside = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for source, place in inside["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        shutil.copytree(REPOSITORY / source, code / place)
    words = ("--collect-only", "--quiet", "--check", "storage.claims-bound")
    exit_code, output = run(folder, *words, code=code)
    assert exit_code == 0, output
    assert "1/" in output
    assert "warning" not in output.lower()
    assert "storage/test_claims.py" in output


def test_its_help_lists_settings_and_exit_codes_and_not_all_of_pytest(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert command.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("--namespace", "--check", "exit codes:", "harbor-verify report"))
    assert "--junit" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", ["audit", "baseline", "drill", "heal", "report"])
def test_the_help_of_each_of_its_commands_fits_a_terminal_and_tells_exit_codes(monkeypatch, capsys, name):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as left:
        command.main([name, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "exit codes:" in text
    assert max(map(len, text.splitlines())) <= 80


def test_reports_are_a_command_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["report", "list"]) == 0
    assert "no run is kept" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["report", "--help"])
    assert "harbor-verify report" in capsys.readouterr().out
