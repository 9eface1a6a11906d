"""What a program that lacks something at its start does after a minute of waiting for it.

The programs were begun before the first test, so that the minute passes while the others run: see conftest.py.
"""

import time

from tests.contract.harbor_1.replay import Client

WAIT_S = 60


def test_without_the_adminserver_or_the_database_it_ends_with_1(waiting):
    """Recorded in faults.json, observations 'ui start, adminserver down' and the like."""
    begun_s, stack = waiting
    for name, reason in (
        ("without-adminserver", "failed to ping adminserver: failed to connect to tcp:"),
        ("without-database", "failed to initialize database: failed to connect to tcp:"),
        ("jobservice", "failed to ping adminserver: failed to connect to tcp:"),
    ):
        program = stack.programs[name]
        assert program.exit_code(_left_s(begun_s)) == 1, name
        assert reason in program.log(), name
        assert program.log().count("retry after 2 seconds") in range(28, 33), name


def test_without_a_registry_the_ui_starts_all_the_same(waiting):
    """Recorded in faults.json, observation 'ui start, registry down'."""
    begun_s, stack = waiting
    ui = stack.programs["without-registry"]
    ui.wait_open(_left_s(begun_s))
    assert ui.log().count("retry after 2 seconds") in range(28, 33)
    assert "Sync repositories" not in ui.log()
    assert Client(stack).request(ui.name, "GET", "/api/systeminfo")[0] == 200


def _left_s(begun_s: float) -> float:
    return max(1, begun_s + WAIT_S + 5 - time.monotonic())
