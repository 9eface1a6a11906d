"""Mutation testing knows all tests of the checkers: a checker without its tests would look unproven."""

import tomllib

from lab import settings


def test_every_test_of_a_checker_is_run_upon_its_mutants():
    told = tomllib.loads((settings.REPOSITORY / "pyproject.toml").read_text())["tool"]["mutmut"]
    chosen = set(told["pytest_add_cli_args_test_selection"])
    tests = {
        str(file.relative_to(settings.REPOSITORY))
        for file in (settings.REPOSITORY / "tests" / "unit").glob("test_checkers_*.py")
    }
    assert tests
    assert tests <= chosen
    assert all((settings.REPOSITORY / file).is_file() for file in chosen)
