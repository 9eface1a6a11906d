"""Keys that all cores must share, and what differs when they do not."""

import pytest

from tests.contract.harbor_2 import recordings
from tests.contract.harbor_2.replay import differences
from tests.contract.harbor_2.stack import private_key
from tests.contract.programs import HOST


@pytest.fixture
def core_b(stack):
    """Restarts core-b with other variables; afterwards it is as it was."""
    yield lambda **changed: stack.restart_core("core-b", **changed)
    stack.restart_core("core-b")


def test_a_csrf_token_is_not_good_where_the_key_differs(client, core_b):
    core_b(CSRF_KEY="another key of 32 characters ...")
    wrong = differences(client, "csrf_keys", recordings.section("csrf_keys", "DIFFERENT"))
    core = core_b(CSRF_KEY="")
    wrong += differences(client, "csrf_keys", recordings.section("csrf_keys", "CSRF_KEY empty"))
    assert not wrong, "\n".join(wrong)
    assert "[WARNING] Invalid CSRF key from environment: , generating random key..." in core.log()


def test_a_token_is_nobodys_where_the_key_differs(client, stack, core_b):
    core_b(TOKEN_PRIVATE_KEY_PATH=str(private_key(stack.folder, "another_key")))
    wrong = []
    for exchange in recordings.section("token_keys"):
        issuer = "core-b" if "bearer of core-b" in exchange["name"] else "core-a"
        user, *scopes = exchange["bearer"].split(" ")
        token = client.token(*scopes, user=user, to=issuer)
        wrong += differences(client, "token_keys", [exchange | {"bearer": token}])
    assert not wrong, "\n".join(wrong)


def test_a_changed_token_key_counts_at_once(client, stack):
    token, kept = client.token("repository:library/x:pull"), stack.key.read_bytes()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.request("core-a", "GET", "/v2/", headers)[0] == 200
    stack.key.write_bytes(private_key(stack.folder, "new_key").read_bytes())
    try:
        assert client.request("core-a", "GET", "/v2/", headers)[0] == 401
    finally:
        stack.key.write_bytes(kept)


def test_what_one_core_seals_another_opens_only_with_the_same_secret_key(client, stack, core_b):
    """Recorded in secret-key.json."""
    other_registry = {
        "name": "r1",
        "type": "harbor",
        "url": f"http://{HOST}:{stack['core-a'].port}",
        "credential": {"type": "basic", "access_key": "admin", "access_secret": "Harbor12345"},
        "insecure": True,
    }
    assert client.api("POST", "/registries", other_registry)[0] == 201
    assert client.api("POST", "/registries/ping", {"id": 1}, to="core-b")[0] == 200
    (stack.folder / "another_key").write_text("another0123456789"[:16])
    core_b(KEY_PATH=str(stack.folder / "another_key"))
    assert client.api("GET", "/registries", to="core-b")[2][0]["credential"]["access_secret"] == "*****"
    status, _, answer = client.api("POST", "/registries/ping", {"id": 1}, to="core-b")
    assert (status, answer["errors"][0]["message"]) == (400, "the registry is unhealthy")
    (stack.folder / "short_key").write_text("01234567")
    core_b(KEY_PATH=str(stack.folder / "short_key"))
    wrong = differences(client, "secret_key", recordings.section("secret_key", "key of 8"))
    core_b(TOKEN_PRIVATE_KEY_PATH=str(stack.folder / "no_such_key"))
    wrong += differences(client, "secret_key", recordings.section("secret_key", "token key file absent"))
    assert not wrong, "\n".join(wrong)
