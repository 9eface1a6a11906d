"""The stand-in with a real database, Redis and registry, for each file of tests its own."""

from collections.abc import Iterator

import pytest

from tests.contract.replay import Client
from tests.contract.stack import Stack


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
