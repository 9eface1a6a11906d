"""The stand-in of Harbor 2 with a real database, Redis and registry, for each file of tests its own."""

from collections.abc import Iterator

import pytest

from tests.contract.harbor_2.replay import Client
from tests.contract.harbor_2.stack import Stack


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Two cores that share everything, with jobservice and registryctl, of the file's VERSION where it names one."""
    stack = Stack(version=getattr(request.module, "VERSION", Stack.version))
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)
