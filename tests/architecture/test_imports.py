"""Who may import whom (docs/architecture.md): the shape stays visible because this holds it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ("suites", "fixtures", "harbor_verify", "lab")
FORBIDDEN = {
    "suites": {"fixtures", "lab", "tests", "bench"},
    "fixtures": {"fixtures", "suites", "lab", "tests", "bench"},  # installed, they have another name
    "harbor_verify": {"suites", "fixtures", "tests", "bench"},
    "lab": {"suites", "fixtures", "harbor_verify", "tests", "bench", "pytest"},
}
LAB_PROVIDER = "harbor_verify/providers/lab.py"


def imports(source: str, package: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Every imported module of a source text, by its full name, and whether the import is at its top level."""
    tree = ast.parse(source)
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in top
        elif isinstance(node, ast.ImportFrom):
            module = module_of(node, package)
            for alias in node.names:
                yield f"{module}.{alias.name}", node in top


def module_of(node: ast.ImportFrom, package: tuple[str, ...]) -> str:
    """The full name of the module that a `from … import` of a module in `package` is about."""
    base = package[: len(package) - node.level + 1] if node.level else ()
    return ".".join([*base, *([node.module] if node.module else [])])


def sources(part: str) -> list[Path]:
    return sorted((REPOSITORY / part).rglob("*.py"))


@cache
def imports_of(file: Path) -> list[tuple[str, bool]]:
    return list(imports(file.read_text(), file.relative_to(REPOSITORY).parent.parts))


@pytest.mark.parametrize("part", PARTS)
def test_each_part_imports_only_what_lies_below_it(part):
    wrong = [
        f"{file.relative_to(REPOSITORY)} imports {name}"
        for file in sources(part)
        for name, _ in imports_of(file)
        if name.partition(".")[0] in FORBIDDEN[part]
    ]
    assert sources(part), f"{part}/ has no sources: this test looks in the wrong place"
    assert not wrong, "\n".join(wrong)


def test_only_the_lab_provider_imports_the_lab_and_only_when_asked():
    users = {
        (str(file.relative_to(REPOSITORY)), at_top)
        for file in sources("harbor_verify")
        for name, at_top in imports_of(file)
        if name.partition(".")[0] == "lab"
    }
    assert users == {(LAB_PROVIDER, False)}


def test_clients_model_checkers_and_reports_do_not_know_pytest():
    folders = (
        "harbor_verify/clients",
        "harbor_verify/model",
        "harbor_verify/checkers",
        "harbor_verify/disruptions",
        "harbor_verify/reports",
    )
    wrong = [
        f"{file.relative_to(REPOSITORY)} imports {name}"
        for folder in folders
        for file in sources(folder)
        for name, _ in imports_of(file)
        if name.partition(".")[0] in {"pytest", "_pytest"}
    ]
    assert not wrong, "\n".join(wrong)


def test_reports_know_the_run_model_and_the_history_only():
    allowed = ("harbor_verify.reports", "harbor_verify.history")
    wrong = [
        f"{file.relative_to(REPOSITORY)} imports {name}"
        for file in sources("harbor_verify/reports")
        for name, _ in imports_of(file)
        if name.startswith("harbor_verify.") and not name.startswith(allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_areas_never_import_each_other():
    wrong = []
    for file in sources("suites"):
        area = file.relative_to(REPOSITORY / "suites").parts[0]
        for name, _ in imports_of(file):
            parts = name.split(".")
            if parts[0] == "suites" and len(parts) > 1 and parts[1] != area:
                wrong.append(f"{file.relative_to(REPOSITORY)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_tenacity_is_used_in_the_two_waiting_modules_only():
    users = {
        str(file.relative_to(REPOSITORY))
        for part in PARTS
        for file in sources(part)
        for name, _ in imports_of(file)
        if name.partition(".")[0] == "tenacity"
    }
    assert users == {"harbor_verify/waiting.py", "lab/waiting.py"}


def test_no_source_has_grown_past_one_subject():
    large = {
        str(file.relative_to(REPOSITORY)): file.stat().st_size
        for part in (*PARTS, "tests")
        for file in sources(part)
        if file.stat().st_size > 24_000
    }
    assert not large


def test_the_walk_sees_plain_relative_and_nested_imports():
    source = "import a.b\nfrom .c import d\ndef f():\n    from lab import up\n"
    assert list(imports(source, ("x", "y"))) == [("a.b", True), ("x.y.c.d", True), ("lab.up", False)]
