"""The need for a way to a store: what is closed from here only is a need, what is closed for Harbor, too, is not."""

import socket
from types import SimpleNamespace

import pytest

from harbor_verify.errors import NoAnswer, WrongConfiguration
from harbor_verify.plugin.needs import _way_to

STATE = SimpleNamespace(target=None, settings=SimpleNamespace(connect_timeout_s=1))


@pytest.fixture
def opened():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"127.0.0.1:{port}"


def told(addresses, works=lambda target: True):
    return _way_to(lambda target: addresses, works)(STATE)


def test_one_of_several_is_enough(opened, closed):
    assert told([closed, opened]) == ""


def test_what_harbor_reaches_and_we_do_not_is_wanting(closed):
    assert told([closed]).startswith(f"{closed}: ")
    assert told([closed]).endswith("though Harbor reaches it")


def test_what_harbor_does_not_reach_either_is_for_the_check_to_say(closed):
    def silent(target):
        raise NoAnswer("GET /", sent=False)

    assert told([closed], works=lambda target: False) == ""
    assert told([closed], works=silent) == ""


def test_what_is_not_configured_is_for_the_check_to_say():
    def wrong(target):
        raise WrongConfiguration("no address")

    assert told([]) == ""
    assert _way_to(wrong, lambda target: True)(STATE) == ""
