"""What the real programs answer when everything is there, the stand-in answers too.

The tests of this file follow each other as the recordings did: projects of one are in the next.
"""

import threading
import time

import pytest
import redis

from tests.contract.harbor_2 import exchanges, recordings
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import REDIS_PASSWORD
from tests.contract.programs import HOST, wait


@pytest.fixture(scope="module", autouse=True)
def healthy(stack):
    """Health is sampled; the first samples were taken while the rest of the stack started."""
    client = Client(stack)
    for core in ("core-a", "core-b"):
        wait(lambda core=core: client.api("GET", "/health", to=core)[2]["status"] == "healthy", "healthy", 25)


@pytest.mark.parametrize("topic", ["health_and_ping", "systeminfo", "csrf", "tokens", "push_pull"])
def test_every_exchange_is_answered_as_recorded(client, topic):
    wrong = differences(client, topic, recordings.section(topic))
    assert not wrong, "\n".join(wrong)


def test_logins_are_answered_as_recorded(client, stack):
    with redis.Redis(HOST, stack["redis"].port, db=0, password=REDIS_PASSWORD) as store:
        store.set("cache:cfgs", '{"read_only":"false"}')
    wrong = differences(client, "login", recordings.section("login"))
    assert client.api("PUT", "/configurations", {"read_only": False, "session_timeout": 60})[0] == 200
    assert not wrong, "\n".join(wrong)


def test_a_wrong_password_freezes_the_user_on_that_core_only(client):
    """Recorded in login.json, observation 'right password while a wrong one is being answered'."""
    failed = threading.Thread(target=client.api, args=("GET", "/users/current"), kwargs={"user": "admin:bad"})
    failed.start()
    time.sleep(0.4)
    inside = [client.api("GET", "/users/current", to=core)[0] for core in ("core-a", "core-b")]
    failed.join()
    time.sleep(0.2)
    assert inside == [401, 200]
    assert client.api("GET", "/users/current")[0] == 200


def test_a_tampered_token_is_nobodys(client):
    """Recorded in token-service.json, 'v2 with tampered bearer'."""
    token = client.token("repository:library/busybox:pull")
    other = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
    status, _, _, _ = client.request("core-a", "GET", "/v2/", {"Authorization": f"Bearer {other}"})
    assert status == 401


def test_a_token_says_what_the_recorded_ones_say(client):
    """Recorded in token-service.json, 'token admin push,pull'."""
    claims = exchanges.claims(client.token("repository:library/busybox:push,pull"))
    times = [claims.pop(key) for key in ("exp", "nbf", "iat")]
    assert times == [times[2] + 1800, times[2], times[2]]
    assert len(claims.pop("jti")) == 16
    claims["access"][0]["actions"].sort()
    assert claims == {
        "iss": "harbor-token-issuer",
        "sub": "admin",
        "aud": "harbor-registry",
        "access": [{"type": "repository", "name": "library/busybox", "actions": ["delete", "pull", "push"]}],
    }


@pytest.mark.parametrize(
    "role, actions",
    [(1, ["delete", "pull", "push"]), (2, ["pull", "push"]), (3, ["pull"]), (4, ["delete", "pull", "push"])],
)
def test_a_member_gets_a_token_for_what_the_role_allows(client, role, actions):
    name, password = f"member{role}", "Passw0rd1"
    user = {"username": name, "email": f"{name}@example.com", "realname": name, "password": password}
    status, headers, _ = client.api("POST", "/users", user)
    assert status == 201
    assert client.api("POST", "/users", user)[0] == 409
    member = {"role_id": role, "member_user": {"username": name}}
    assert client.api("POST", "/projects/p1/members", member)[0] == 201
    claims = exchanges.claims(client.token("repository:p1/x:pull,push", user=f"{name}:{password}"))
    assert sorted(claims["access"][0]["actions"]) == actions
    assert client.api("GET", "/users", user=f"{name}:{password}")[0] == 403
    path = dict(headers)["Location"].removeprefix("/api/v2.0")
    assert client.api("DELETE", path)[0] == 200
    assert client.api("GET", path)[0] == 404
