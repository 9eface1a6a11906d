"""What users see differently of 2.15 than of 2.12, as recorded from v2.15.2; everything else is the same.

What has no exchange in recordings/2.15/ is told by the recordings challenge, push-pull, password-mixed and schema.
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator

import pytest
import redis
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.contract.harbor_2 import exchanges, images, recordings
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import (
    CORE_URL,
    REDIS_PASSWORD,
    REGISTRY_PASSWORD,
    REGISTRY_USER,
    Stack,
)
from tests.contract.programs import HOST, wait

VERSION = "2.15"


@pytest.fixture
def store(stack: Stack) -> Iterator[redis.Redis]:
    with redis.Redis(HOST, stack["redis"].port, db=0, password=REDIS_PASSWORD) as store:
        yield store


@pytest.mark.parametrize(
    "host, realm",
    [
        ("127.0.1.1:8080", "http://127.0.1.1:8080"),
        ("other.test:8443", "http://other.test:8443"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("HARBOR.EXAMPLE", "http://HARBOR.EXAMPLE"),
        (CORE_URL.partition("://")[2], CORE_URL),
    ],
)
def test_the_realm_is_made_of_the_host_that_was_asked_and_of_no_forwarded_one(client, host, realm):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test", "Forwarded": "host=fwd.test"}
    status, headers, _, _ = client.request("core-a", "GET", "/v2/", {"Host": host, **forwarded})
    assert status == 401
    challenge = f'Bearer realm="{realm}/service/token",service="harbor-registry"'
    assert dict(headers)["Www-Authenticate"] == challenge


def test_the_registry_behind_is_given_digests_and_knows_no_tags(client):
    image = images.push(client, "library/untagged", "v1")

    def behind(path: str) -> int:
        password = exchanges.credentials(f"{REGISTRY_USER}:{REGISTRY_PASSWORD}")
        headers = {"Authorization": password, "Accept": images.MANIFEST}
        return client.request("registry", "GET", f"/v2/library/untagged/{path}", headers)[0]

    assert behind("tags/list") == 404
    assert behind("manifests/v1") == 404
    assert behind(f"manifests/{image.digest}") == 200
    assert [images.pull(client, "library/untagged", "v1", to=core) for core in ("core-a", "core-b")] == [
        200
    ] * 2


def test_only_who_has_logged_in_is_told_the_version(client):
    assert client.api("GET", "/systeminfo")[2]["harbor_version"] == "v2.15.2-stand-in"
    assert differences(client, "2.15/systeminfo", recordings.section("2.15/systeminfo")) == []


def test_the_schema_has_the_version_of_2_15(stack):
    assert stack.sql("SELECT version, dirty FROM schema_migrations") == [["180", "f"]]


@pytest.mark.parametrize("length", [31, 33, 64])
def test_with_a_csrf_key_of_a_wrong_length_all_that_has_a_session_fails_and_nothing_else(
    client, stack, length
):
    key = "0" * length
    core = stack.core("core-x", CSRF_KEY=key)
    core.start()
    try:
        wait(lambda: client.api("GET", "/health", to="core-x")[2]["status"] == "healthy", "healthy", 25)
        wrong = differences(
            client, "2.15/csrf", recordings.section("2.15/csrf", f"CSRF_KEY {length} characters")
        )
        log = core.log()
    finally:
        core.end(9)
    assert not wrong, "\n".join(wrong)
    assert (
        f"[ERROR] Invalid CSRF key length from the environment: {key}. "
        "Please ensure the key length is 32 characters."
    ) in log


def test_without_a_csrf_key_there_is_a_random_one_and_no_word_of_it(client, stack):
    core = stack.restart_core("core-b", CSRF_KEY="")
    try:
        assert client.log_in(to="core-b")
        assert "CSRF" not in core.log()[core.log().rindex("a stand-in for") :]
    finally:
        stack.restart_core("core-b")


def test_what_2_12_answered_otherwise_is_answered_as_recorded(client):
    """The API of the projects' robots, a tag without a name, the list of the old audit log."""
    images.push(client, "library/app", "v2")
    wrong = [
        line
        for topic in ("2.15/robots", "2.15/tags", "2.15/audit")
        for line in differences(client, topic, recordings.section(topic))
    ]
    assert not wrong, "\n".join(wrong)


def test_garbage_collection_knows_delete_tag_and_shows_no_password(client, stack):
    asked = {
        "schedule": {"type": "Manual"},
        "parameters": {"delete_untagged": True, "dry_run": True, "workers": 1},
    }
    status, headers, _ = client.api("POST", "/system/gc/schedule", asked)
    assert status == 201
    number = dict(headers)["Location"].rpartition("/")[2]
    sql = f"SELECT status FROM task WHERE execution_id = {number}"
    wait(lambda: stack.sql(sql) == [["Success"]], "the garbage collection ends")
    (recorded,) = recordings.section("2.15/gc", "gc dry run")
    shown = json.loads(client.api("GET", f"/system/gc/{number}", to="core-b")[2]["job_parameters"])
    assert set(shown) == set(json.loads(recorded["answer"]["job_parameters"]))
    assert shown["delete_tag"] is False
    ((kept,),) = stack.sql(f"SELECT extra_attrs FROM execution WHERE id = {number}")
    assert "redis_url_reg" in json.loads(kept)
    headers = {"Authorization": exchanges.credentials("admin")}
    log = client.request("core-a", "GET", f"/api/v2.0/system/gc/{number}/log", headers)[2].decode()
    assert "[delete_untagged: true, delete_tag: false, dry_run: true, " in log
    assert differences(client, "2.15/gc", recordings.section("2.15/gc", "gc with")) == []


def test_a_token_older_than_the_project_is_nobodys(client, stack):
    for name, public in (("again2", "false"), ("again3", "true")):
        project = {"project_name": name, "metadata": {"public": public}}
        assert client.api("POST", "/projects", project)[0] == 201
    wrong = []
    for exchange in recordings.section("2.15/bearers", "again"):
        repository = exchange["request"].split("/")[2] + "/x"
        token = client.token(f"repository:{repository}:pull,push")
        if "new bearer" not in exchange["name"]:
            token = signed_anew(stack, token, iat=int(time.time()) - 104)
        wrong += differences(client, "2.15/bearers", [exchange | {"bearer": token}])
    assert not wrong, "\n".join(wrong)
    token = signed_anew(stack, client.token("repository:again2/x:push"), iat=int(time.time()) - 30)
    assert upload_begun(client, "again2/x", token) == 202


def test_a_token_must_say_when_it_was_issued(client, stack):
    issued = {"bearer without iat: upload start": None, "bearer iat a year old: upload start": 365 * 86400}
    wrong = []
    for exchange in recordings.section("2.15/claims"):
        age_s = issued[exchange["name"]]
        token = client.token("repository:library/app:pull,push")
        token = signed_anew(stack, token, iat=None if age_s is None else int(time.time()) - age_s)
        wrong += differences(client, "2.15/claims", [exchange | {"bearer": token}])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("late_s, status", [(30, 202), (90, 401)])
def test_a_token_is_good_for_a_minute_longer_than_it_says(client, stack, late_s, status):
    """Told by index.md of the recordings; the same in 2.12."""
    token = client.token("repository:library/app:push")
    expired = signed_anew(stack, token, exp=int(time.time()) - late_s)
    assert upload_begun(client, "library/app", expired) == status


def test_the_header_against_renewal_leaves_the_time_to_live(client, store):
    """Recorded in login.json, 'TTL of sid and X-Harbor-No-Session-Renewal'; it makes keys that live for ever."""
    session = client.log_in()
    for value, is_renewed in (("true", False), ("1", False), ("false", False), ("", True)):
        store.expire(session, 100)
        headers = {"Cookie": f"sid={session}", "X-Harbor-No-Session-Renewal": value}
        assert client.request("core-a", "GET", "/api/v2.0/users/current", headers)[0] == 200
        assert (store.ttl(session) > 100) == is_renewed, value
    before = set(store.keys())
    assert differences(client, "2.15/sessions", recordings.section("2.15/sessions")) == []
    made = set(store.keys()) - before
    lasting = [key for key in made if store.ttl(key) == -1]
    assert len(lasting) == 2


def test_passwords_of_users_are_hashed_for_longer_and_old_hashes_stay(client, stack):
    name, password = "hashed", "Passw0rd1"
    user = {"username": name, "email": f"{name}@example.com", "realname": name, "password": password}
    assert client.api("POST", "/users", user)[0] == 201
    columns = "username, password_version, length(password), length(salt)"
    assert stack.sql(f"SELECT {columns} FROM harbor_user ORDER BY user_id") == [
        ["admin", "pbkdf2_sha256", "32", "32"],
        [name, "pbkdf2_sha256", "32", "32"],
    ]
    of_2_12 = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 4096, 16).hex()
    stack.sql(
        f"UPDATE harbor_user SET password = '{of_2_12}', password_version = 'sha256', salt = 'salt' "
        f"WHERE username = '{name}'"
    )
    assert client.api("GET", "/users/current", user=f"{name}:{password}")[0] == 200
    assert stack.sql(f"SELECT password_version FROM harbor_user WHERE username = '{name}'") == [["sha256"]]


def signed_anew(stack: Stack, token: str, **changed: int | None) -> str:
    """The token with other claims (None: without it), signed with the key of the cores."""
    claims = {key: value for key, value in (exchanges.claims(token) | changed).items() if value is not None}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    signed = f"{token.partition('.')[0]}.{body}"
    key = serialization.load_pem_private_key(stack.key.read_bytes(), password=None)
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def upload_begun(client: Client, repository: str, token: str) -> int:
    """The status of beginning an upload."""
    headers = {"Authorization": f"Bearer {token}"}
    return client.request("core-a", "POST", f"/v2/{repository}/blobs/uploads/", headers)[0]
