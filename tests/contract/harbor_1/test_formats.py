"""Formats that other programs read: gob, password hashes, names of keys, scopes."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.harbor import token_key
from lab.harbor.harbor_1.ui import gob, passwords, tokens


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"userId": 1, "username": "admin", "isSysAdmin": True},
        {"userId": 2**40, "username": "x" * 300, "isSysAdmin": False},
        {"userId": -129, "username": "ü"},
    ],
)
def test_gob_gives_back_what_it_was_given(values):
    assert gob.decode(gob.encode(values)) == values


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        gob.encode({"username": "admin"})[:-1],
        gob.encode({"username": "admin"}).replace(b"string", b"strinG"),
    ],
)
def test_what_is_no_gob_is_refused(data):
    with pytest.raises(gob.NotGob):
        gob.decode(data)


def test_a_password_is_hashed_as_harbor_does():
    """Source: PBKDF2 with HMAC-SHA1, 4096 rounds, 16 bytes, of Harbor's source."""
    assert passwords.hashed("content", "salt") == "dc79e76c88415c97eb089d9cc80b4ab0"


def test_a_key_is_named_by_its_first_240_bits():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = token_key.key_id(key.public_key())
    assert len(name) == 59
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:")


@pytest.mark.parametrize(
    "scope, kind, name, actions",
    [
        ("repository:library/a:push,pull", "repository", "library/a", ["push", "pull"]),
        ("repository:host:5000/library/a:pull", "repository", "host:5000/library/a", ["pull"]),
        ("registry:catalog:*", "registry", "catalog", ["*"]),
        ("repository:library/a", "repository", "library/a", []),
        ("repository:library/a:", "repository", "library/a", []),
    ],
)
def test_a_scope_is_type_name_and_actions(scope, kind, name, actions):
    assert tokens.parse(scope) == {"type": kind, "name": name, "actions": actions}
