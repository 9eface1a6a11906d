"""No module imports itself by way of others, not even for types alone."""

import pytest

from tests.architecture.test_imports import REPOSITORY, imports_of, sources

PARTS = ("harbor_verify", "fixtures", "lab")


def graph() -> dict[str, set[str]]:
    """The modules of this repository that each of its modules imports."""
    files = {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): file
        for part in PARTS
        for file in sources(part)
    }
    found = {}
    for module, file in files.items():
        names = {name for name, _ in imports_of(file)}
        wanted = {name if name in files else name.rpartition(".")[0] for name in names}
        # A package is imported with each of its modules; that it imports them in turn is its business.
        found[module] = {each for each in wanted & files.keys() if not module.startswith(f"{each}.")} - {
            module
        }
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Each circle once, as `a → b → a`."""
    found, done = [], set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            circle = path[path.index(module) :]
            found.append(" → ".join([*circle, module]))
            return
        if module in done:
            return
        for other in sorted(graph.get(module, ())):
            visit(other, [*path, module])
        done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return found


def test_no_module_imports_itself_by_way_of_others():
    assert not circles(graph())


@pytest.mark.parametrize(
    "planted, expected",
    [
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, ["a → b → c → a"]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    ],
)
def test_a_planted_circle_is_found(planted, expected):
    assert circles(planted) == expected
