"""Installing the lab's packages leaves no service and no database behind on this machine."""

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.programs import backports, packages


@pytest.fixture
def files(monkeypatch, tmp_path) -> dict[Path, str]:
    said = {tmp_path / "policy": "start nothing\n", tmp_path / "new" / "folder" / "database": "make none\n"}
    monkeypatch.setattr(packages, "_WHILE_INSTALLING", said)
    return said


def test_debian_is_told_to_start_and_to_make_nothing_only_while_packages_are_installed(files):
    with packages._no_services():
        assert {path: path.read_text() for path in files} == files
    assert not any(path.exists() for path in files)


def test_what_the_machine_itself_says_to_debian_stays(files):
    own = next(iter(files))
    own.write_text("start what you like\n")
    with packages._no_services():
        assert own.read_text() == "start what you like\n"
    assert own.read_text() == "start what you like\n"


def test_what_an_interrupted_installation_left_goes(files):
    own = next(iter(files))
    own.write_text(files[own])
    with packages._no_services():
        pass
    assert not own.exists()


def test_backports_come_from_where_the_machine_has_its_debian_from():
    listing = (
        "https://vendor.example.com/apt/ stable Vendor\n"
        "http://mirror.example.com/debian/ bookworm-updates Debian\n"
        "http://mirror.example.com/debian/ bookworm Debian\n"
    )
    line = backports.source(listing)
    assert line.endswith("] http://mirror.example.com/debian/ bookworm-backports main\n")
    with pytest.raises(LabError, match="no mirror"):
        backports.source("http://mirror.example.com/debian/ trixie Debian\n")


def test_packages_are_unpacked_with_what_they_need_and_not_installed(monkeypatch, tmp_path):
    asked = []

    def run(argv, *, cwd=None, **_):
        asked.append(argv)
        if "download" in argv:
            (cwd / "one.deb").touch()
        return "Inst libone (1 Debian)\nInst skopeo (2 Debian)\nConf skopeo\n" if "--simulate" in argv else ""

    monkeypatch.setattr(packages, "run", run)
    packages.unpack(["skopeo"], tmp_path / "folder")
    assert next(argv for argv in asked if "download" in argv)[-2:] == ["libone", "skopeo"]
    assert asked[-1] == ["dpkg-deb", "--extract", str(tmp_path / "folder/one.deb"), str(tmp_path / "folder")]
    assert not list((tmp_path / "folder").iterdir())
    assert not [argv for argv in asked if "install" in argv and "--simulate" not in argv]
