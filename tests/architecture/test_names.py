"""A module is asked only for names that it has: what runs on a fresh machine only must not be the first to notice."""

import ast
from functools import cache

import pytest

from tests.architecture.test_imports import REPOSITORY, module_of, sources

PARTS = ("suites", "fixtures", "harbor_verify", "lab", "bench", "tests", "docs")


def bound(body: list[ast.stmt]) -> set[str]:
    """The names that statements bind at the level they stand on."""
    names = set()
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                names.add(statement.name)
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
            case _:
                names |= {
                    node.id
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
                for block in ("body", "orelse", "finalbody"):
                    names |= bound(getattr(statement, block, []))
                for handler in getattr(statement, "handlers", []):
                    names |= bound(handler.body)
    return names


@cache
def names_of(module: str) -> set[str] | None:
    """Everything that a module of this repository can be asked for; None: it is none of this repository."""
    place = REPOSITORY / module.replace(".", "/")
    sources = [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.exists()]
    if not sources and not place.is_dir():
        return None
    names = {"__doc__", "__file__", "__name__", "__path__"}
    for source in sources[:1]:  # a folder without __init__.py gives way to a file of its name
        names |= bound(ast.parse(source.read_text()).body)
    if place.is_dir() and (not sources or sources[0].name == "__init__.py"):
        names |= {entry.stem for entry in place.iterdir()}
    return names


def missing(source: str, package: tuple[str, ...]) -> list[str]:
    """What a source text asks modules of this repository for and they have not, e.g. "3: lab.settings.GONE"."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}
    gone = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        module = module_of(node, package)
        if (has := names_of(module)) is None:
            continue
        for alias in node.names:
            if alias.name not in has:
                gone.append(f"{node.lineno}: {module}.{alias.name}")
            elif names_of(f"{module}.{alias.name}") is not None:
                modules[alias.asname or alias.name] = f"{module}.{alias.name}"
    stored = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module and node.value.id not in stored and node.attr not in names_of(module):
                gone.append(f"{node.lineno}: {module}.{node.attr}")
    return gone


@pytest.mark.parametrize("part", PARTS)
def test_modules_have_every_name_that_they_are_asked_for(part):
    files = sources(part)
    gone = [
        f"{place}:{found}"
        for file in files
        for place in [file.relative_to(REPOSITORY)]
        for found in missing(file.read_text(), place.parent.parts)
    ]
    assert files
    assert not gone, "\n".join(gone)


def test_a_name_that_is_gone_is_told_with_its_place():
    source = "from lab import settings\nfrom lab.settings import GONE\n\nprint(settings.STATE, settings.NAMESPACE)\n"
    assert missing(source, ("lab",)) == ["2: lab.settings.GONE", "4: lab.settings.NAMESPACE"]
