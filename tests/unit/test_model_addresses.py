"""HOST:PORT, IPv6 addresses included."""

import pytest

from harbor_verify.model.addresses import bracketed, joined, split
from harbor_verify.model.stores import Database
from harbor_verify.profiles.harbor_2.stores import session_store
from harbor_verify.settings import Settings


@pytest.mark.parametrize(
    "address, host, port",
    [
        ("redis:6379", "redis", "6379"),
        ("redis", "redis", ""),
        ("198.18.0.1:5432", "198.18.0.1", "5432"),
        ("[fd00::5]:5432", "fd00::5", "5432"),
        ("[fd00::5]", "fd00::5", ""),
        ("fd00::5", "fd00::5", ""),
    ],
)
def test_an_address_is_taken_apart_and_put_together_again(address, host, port):
    assert split(address) == (host, port)
    if port:
        assert joined(host, port) == address


def test_brackets_are_put_once():
    assert [bracketed(host) for host in ("h", "fd00::5", "[fd00::5]")] == ["h", "[fd00::5]", "[fd00::5]"]


def test_stores_with_ipv6_addresses_are_read_and_told():
    store = session_store({"_REDIS_URL_CORE": "redis://:pw@[fd00::7]:6380/0"})
    assert (store.host, store.port, store.address) == ("fd00::7", 6380, "[fd00::7]:6380")
    assert session_store({"_REDIS_URL_CORE": "redis://[fd00::7]/0"}).address == "[fd00::7]:6379"
    sentinels = session_store({"_REDIS_URL_CORE": "redis+sentinel://[fd00::1]:26379,[fd00::2]/main/0"})
    assert sentinels.sentinels == ("[fd00::1]:26379", "[fd00::2]:26379")
    assert Database("postgresql", "fd00::9", 5432, "u", "p", "n").address == "[fd00::9]:5432"


@pytest.mark.parametrize("address", ["db:5432", "[fd00::5]:5432"])
def test_a_setting_takes_either_form(address):
    assert Settings(database_address=address).database_address == address


@pytest.mark.parametrize("address", ["db", "fd00::5:5432", "[xy]:5432"])
def test_a_setting_takes_no_other(address):
    with pytest.raises(ValueError, match="database_address"):
        Settings(database_address=address)
