"""The stand-in with a real database, Redis and registry, for each file of tests its own."""

import time
from collections.abc import Iterator

import pytest

from tests.contract.harbor_1.replay import Client
from tests.contract.harbor_1.stack import Stack
from tests.contract.programs import HOST


@pytest.fixture(scope="session", autouse=True)
def waiting(request: pytest.FixtureRequest) -> Iterator[tuple[float, Stack] | None]:
    """When they were begun (monotonic), and the programs, that lack something at their start.

    None when the tests of it were not chosen.
    """
    if not any(item.path.stem == "test_waits" for item in request.session.items):
        yield None
        return
    stack = Stack()
    try:
        stack.start()
        closed = f"http://{HOST}:1"
        programs = [stack.ui("without-adminserver", ADMIN_SERVER_URL=closed)]
        for name, settings in (
            ("without-database", {"MYSQL_PORT": "1"}),
            ("without-registry", {"REGISTRY_URL": closed}),
        ):
            store = stack.another_adminserver(f"store-{name}", **settings)
            store.start()
            programs.append(stack.ui(name, ADMIN_SERVER_URL=stack.url(store.name)))
        programs.append(stack.jobservice(ADMIN_SERVER_URL=closed))
        begun_s = time.monotonic()
        for program in programs:
            program.launch()
        yield begun_s, stack
    finally:
        stack.end()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Two ui that share everything."""
    stack = Stack()
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)
