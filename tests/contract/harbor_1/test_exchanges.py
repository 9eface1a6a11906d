"""What the real programs answer when everything is there, the stand-in answers too.

The tests of this file follow each other as the recordings did: users and projects of one are in the next.
"""

import json
import threading
import time

import pytest

from tests.contract.harbor_1 import exchanges, images, recordings
from tests.contract.harbor_1.replay import differences


@pytest.fixture(scope="module", autouse=True)
def jobservice(stack):
    stack.jobservice().start()


@pytest.mark.parametrize("topic", ["anonymous", "login", "token", "projects"])
def test_every_exchange_is_answered_as_recorded(client, topic):
    wrong = differences(client, topic, recordings.section(topic))
    assert not wrong, "\n".join(wrong)


def test_a_wrong_password_locks_the_user_on_that_replica_only(client):
    (login,) = recordings.section("login", "login good")
    client.send(login)
    (failing,) = recordings.section("login", "bad password")
    begun_s = time.monotonic()
    failed = threading.Thread(target=client.send, args=(failing,))
    failed.start()
    time.sleep(0.4)
    *inside, after = recordings.section("lockout")
    wrong = differences(client, "lockout", inside)
    failed.join()
    time.sleep(max(0, begun_s + 1.7 - time.monotonic()))
    wrong += differences(client, "lockout", [after])
    assert not wrong, "\n".join(wrong)


def test_answers_are_compressed_for_clients_that_say_they_take_it(client):
    """Recorded in anonymous.json: 'ui1 root gzip'."""
    _, headers, body, _ = client.request("ui1", "GET", "/", {"Accept-Encoding": "gzip"})
    assert ("Content-Encoding", "gzip") in headers
    assert body[:2] == b"\x1f\x8b"


def test_a_token_says_what_the_recorded_ones_say(client):
    """Recorded in token.json, observation 'admin, push'."""
    header, claims = images.claims(images.admin_token(client, "repository:library/busybox:push,pull"))
    assert {key: header[key] for key in ("typ", "alg")} == {"typ": "JWT", "alg": "RS256"}
    assert [len(part) for part in header["kid"].split(":")] == [4] * 12
    times = [claims.pop(key) for key in ("exp", "nbf", "iat")]
    assert times == [times[2] + 1800, times[2], times[2]]
    assert len(claims.pop("jti")) == 16
    assert claims == {
        "iss": "harbor-token-issuer",
        "sub": "admin",
        "aud": "harbor-registry",
        "access": [
            {"type": "repository", "name": "library/busybox", "actions": ["push", "*", "pull"]},
        ],
    }


@pytest.mark.parametrize(
    "who, scope, actions",
    [
        (None, "repository:library/a:push,pull", ["pull"]),
        (None, "repository:alpha/a:pull", []),
        (None, "repository:nosuch/a:pull", []),
        ("dev1", "repository:library/a:push,pull", ["pull"]),
        ("dev1", "repository:alpha/a:pull", ["push", "pull"]),
        ("dev1", "registry:catalog:*", []),
        ("admin", "registry:catalog:*", ["*"]),
        ("admin", "plugin:library/x:pull", []),
    ],
)
def test_a_token_grants_what_the_caller_may_do_whatever_was_asked(client, who, scope, actions):
    """Recorded in token.json; dev1 is a developer in the private project alpha."""
    request = {"to": "ui1", "request": f"GET /service/token?service=harbor-registry&scope={scope}"}
    headers = {} if who is None else {"as": who}
    assert client.send(request | headers)["answer"]["token"] == "<token>"
    token = _token(client, who, scope)
    assert images.claims(token)[1]["access"][0]["actions"] == actions


def test_a_login_without_a_scope_gives_a_token_without_access(client):
    """`docker login`; recorded in token.json, observation 'admin, no scope (docker login)'."""
    assert images.claims(_token(client, "admin", None))[1]["access"] is None


def test_of_many_that_create_one_project_on_two_replicas_one_succeeds(client, stack):
    """Recorded in projects.json, observation 'six concurrent creates of one name over both replicas'."""
    statuses = []

    def create(to: str) -> None:
        body = '{"project_name": "race2"}'
        statuses.append(
            client.send({"to": to, "request": "POST /api/projects", "as": "admin", "body": body})["status"]
        )

    threads = [threading.Thread(target=create, args=(to,)) for to in ("ui1", "ui2") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert stack.sql("SELECT COUNT(*) FROM project WHERE name = 'race2'") == [["1"]]


def test_a_deleted_project_keeps_its_row_under_another_name(stack):
    """Recorded in projects.json, observation 'rows of deleted projects'."""
    rows = stack.sql(
        "SELECT project_id, name, deleted, public FROM project WHERE project_id <= 10 ORDER BY 1"
    )
    assert ["4", "gamma#4", "1", "0"] in rows
    assert ["8", "five", "0", "5"] in rows
    assert ["10", "gamma", "0", "0"] in rows


def test_the_page_of_every_address_says_that_it_is_a_stand_in(client):
    for target in ("/", "/harbor/sign-in", "/harbor/projects"):
        _, _, page, _ = client.request("ui1", "GET", target)
        assert b"v1.2.0-stand-in" in page
        assert b'id="login_username"' in page


def _token(client, who, scope):
    headers = {"Authorization": exchanges.credentials(who)} if who else {}
    asked = f"&scope={scope}" if scope else ""
    _, _, body, _ = client.request("ui1", "GET", f"/service/token?service=harbor-registry{asked}", headers)
    return json.loads(body)["token"]
