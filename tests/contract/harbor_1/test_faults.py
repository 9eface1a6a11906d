"""What the stand-in answers while something that it needs is down, wrong or frozen, is what the real ones answered."""

import time

import pytest

from tests.contract.harbor_1 import images, recordings
from tests.contract.harbor_1.replay import Client, differences
from tests.contract.harbor_1.stack import DATABASE, DATABASE_USER, Stack, key_pair
from tests.contract.programs import Program, wait


@pytest.fixture(scope="module", autouse=True)
def contents(stack):
    """Something of each kind, as there was when the faults were recorded."""
    client = Client(stack)
    for name, public in (("alpha", 0), ("beta", 1)):
        body = f'{{"project_name": "{name}", "public": {public}}}'
        assert (
            client.send({"to": "ui1", "request": "POST /api/projects", "as": "admin", "body": body})["status"]
            == 201
        )
    for repository in ("beta/img", "alpha/hello"):
        images.push(client, repository, "v1")
    wait(lambda: len(repositories(stack)) == 2, "the records of the pushes", deadline_s=5)


@pytest.fixture
def another_ui(stack):
    """Start a ui whose adminserver has other settings: another_ui(mysql_user="…", environment of the ui)."""
    started: list[Program] = []

    def start(settings: dict[str, str] | None = None, **changed: str) -> Program:
        store = stack.another_adminserver("another", **(settings or {}))
        store.start()
        started.append(store)
        ui = stack.ui("ui7", ADMIN_SERVER_URL=stack.url("another"), **changed)
        ui.start()
        started.append(ui)
        return ui

    yield start
    for program in reversed(started):
        program.end()


def test_a_database_that_is_down_and_back(stack, client):
    client.remember_login("admin")
    stack.mysql.end()
    wrong = differences(client, "database_faults", recordings.section("database_faults", "DB down:"))
    stack.mysql.start()
    wrong += differences(client, "database_faults", recordings.section("database_faults", "DB back:"))
    assert not wrong, "\n".join(wrong)


def test_library_gets_an_image(stack, client):
    """As between the recordings of the database's faults and those of the registry's."""
    images.push(client, "library/seed", "v1")
    wait(lambda: "library/seed" in repositories(stack), "the record of the push", deadline_s=5)


def test_a_database_that_restarts_costs_no_request(stack, client):
    """Recorded in faults.json, observation 'DB restarted quickly: next statuses'."""
    projects = {"request": "GET /api/projects"}
    for replica in ("ui1", "ui2"):
        assert client.send({"to": replica, **projects})["status"] == 200
    stack.mysql.end()
    stack.mysql.start()
    assert [client.send({"to": to, **projects})["status"] for to in ("ui1", "ui2") * 4] == [200] * 8


def test_a_frozen_database_hangs_what_needs_it(stack, client):
    stack.mysql.freeze()
    try:
        with pytest.raises(TimeoutError):
            client.request("ui1", "GET", "/api/projects", timeout_s=2)
        assert client.request("ui1", "GET", "/api/systeminfo", timeout_s=2)[0] == 200
    finally:
        stack.mysql.thaw()
    assert client.request("ui1", "GET", "/api/projects")[0] == 200


def test_an_adminserver_that_is_down_and_back(stack, client):
    client.remember_login("admin")
    current, *rest = recordings.section("other_faults", "adminserver down:")
    assert client.send({"to": "ui1", "request": "GET /api/users/current", "as": "admin"})["status"] == 200
    stack.adminserver.end()
    wrong = differences(client, "other_faults", [current])
    time.sleep(1.1)  # cfg_expiration
    wrong += differences(client, "other_faults", rest)
    stack.adminserver.start()
    wrong += differences(client, "other_faults", recordings.section("other_faults", "adminserver back:"))
    assert not wrong, "\n".join(wrong)


def test_a_registry_that_is_down_and_back(stack, client):
    stack.registry.end()
    wrong = differences(client, "other_faults", recordings.section("other_faults", "registry down:"))
    stack.registry.start()
    wrong += differences(client, "other_faults", recordings.section("other_faults", "registry back:"))
    assert not wrong, "\n".join(wrong)


def test_a_registry_that_trusts_another_key(stack, client):
    _, other = key_pair(stack.folder, "other")
    with registry_with(stack, REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE=str(other)):
        wrong = differences(client, "other_faults", recordings.section("other_faults", "wrong root.crt:"))
    assert not wrong, "\n".join(wrong)


def test_replicas_with_different_keys(stack, client):
    """Recorded in faults.json, 'different private keys: …'; here clients reach the registry without the ui."""
    key, _ = key_pair(stack.folder, "other")
    stack.ui2.end()
    stack.ui("ui2", port=stack.ui2.port, TOKEN_PRIVATE_KEY_PATH=str(key)).start()
    try:
        section = recordings.section("other_faults", "different private keys:")
        wrong = differences(client, "other_faults", section)
        statuses = {}
        for replica in ("ui1", "ui2"):
            token = images.admin_token(client, "repository:beta/img:pull", to=replica)
            headers = {"Authorization": f"Bearer {token}"}
            statuses[replica] = client.request("registry", "GET", "/v2/beta/img/tags/list", headers)[0]
    finally:
        stack.ui2.end()
        stack.ui("ui2", port=stack.ui2.port).start()
    assert not wrong, "\n".join(wrong)
    assert statuses == {"ui1": 200, "ui2": 401}


def test_a_push_while_the_database_is_down_leaves_no_record(stack, client):
    """Recorded in faults.json, observation 'push while the DB is down': its notification is answered with 200."""
    token = images.admin_token(client, "repository:beta/lost:push,pull")
    stack.mysql.end()
    images.push(client, "beta/lost", "v1", token=token)
    wait(
        lambda: "failed to get project by name beta" in stack.ui1.log(), "the notification came", deadline_s=5
    )
    stack.mysql.start()
    assert "beta/lost" not in repositories(stack)


def test_a_ui_that_starts_with_an_empty_registry_deletes_all_records(stack, client):
    before = set(repositories(stack))
    stack.sql(
        "INSERT INTO access_log (username, project_id, repo_name, operation) SELECT 'a', 3, 'beta/img', 'pull'"
    )
    storage = stack.folder / "storage"
    stack.registry.end()
    storage.rename(stack.folder / "kept")
    storage.mkdir()
    stack.registry.start()
    section = recordings.section("other_faults", "empty registry storage:")
    wrong = differences(client, "other_faults", section)
    assert set(repositories(stack)) == before
    restart(stack.ui2)
    assert repositories(stack) == []
    stack.registry.end()
    storage.rename(stack.folder / "empty")
    (stack.folder / "kept").rename(storage)
    stack.registry.start()
    wrong += differences(client, "other_faults", recordings.section("other_faults", "storage is back:"))
    assert not wrong, "\n".join(wrong)
    # Both at the same moment: each adds what the other has just added.
    for replica in (stack.ui1, stack.ui2):
        replica.end()
    for replica in (stack.ui1, stack.ui2):
        replica.launch()
    for replica in (stack.ui1, stack.ui2):
        replica.wait_open()
    assert before <= set(repositories(stack))
    assert stack.sql("SELECT pull_count FROM repository WHERE name = 'beta/img'") == [["1"]]


@pytest.mark.parametrize("prefix, pem", [("no key:", None), ("PKCS#8 key:", "BEGIN PRIVATE KEY")])
def test_a_key_that_cannot_be_used(stack, client, another_ui, prefix, pem):
    file = stack.folder / "unusable.pem"
    if pem:
        file.write_text(f"-----{pem}-----\nAAAA\n-----{pem.replace('BEGIN', 'END')}-----\n")
    another_ui(TOKEN_PRIVATE_KEY_PATH=str(file))
    wrong = differences(client, "other_faults", recordings.section("other_faults", prefix))
    assert not wrong, "\n".join(wrong)
    reason = "PEM type: PRIVATE KEY" if pem else "key file does not exist"
    assert stack.ui7.log().count(reason) >= 2


def test_a_database_user_who_may_only_read(stack, client, another_ui):
    stack.sql(f"CREATE USER ro@'%' IDENTIFIED BY 'ro'; GRANT SELECT ON {DATABASE}.* TO ro@'%'", "mysql")
    another_ui({"MYSQL_USR": "ro", "MYSQL_PWD": "ro"})
    wrong = differences(client, "database_faults", recordings.section("database_faults", "SELECT only:"))
    assert not wrong, "\n".join(wrong)


def test_a_database_without_tables_and_a_schema_that_comes_late(stack, client, another_ui):
    stack.sql(f"CREATE DATABASE emptydb; GRANT ALL ON emptydb.* TO '{DATABASE_USER}'@'%'", "mysql")
    ui = another_ui({"MYSQL_DATABASE": "emptydb"})
    wrong = differences(client, "database_faults", recordings.section("database_faults", "empty DB:"))
    stack.load_schema("emptydb")
    *before, after = recordings.section("database_faults", "schema loaded after the ui had started:")
    wrong += differences(client, "database_faults", before)
    restart(ui)
    wrong += differences(client, "database_faults", [after])
    assert not wrong, "\n".join(wrong)


def test_the_first_password_counts_only_once(stack, client, another_ui):
    """Recorded in faults.json: 'HARBOR_ADMIN_PASSWORD changed after the first start'."""
    another_ui({"HARBOR_ADMIN_PASSWORD": "Other12345"})
    section = recordings.section("database_faults", "HARBOR_ADMIN_PASSWORD changed")
    wrong = differences(client, "database_faults", [{**each, "to": "ui7"} for each in section])
    assert not wrong, "\n".join(wrong)


def test_the_ui_needs_no_jobservice(client):
    section = recordings.section("other_faults", "jobservice down:")
    wrong = differences(client, "other_faults", section)
    assert not wrong, "\n".join(wrong)


def repositories(stack: Stack) -> list[str]:
    return [name for (name,) in stack.sql("SELECT name FROM repository")]


def restart(program: Program) -> None:
    program.end()
    program.start()


class registry_with:
    """While inside, the registry has other variables in its environment."""

    def __init__(self, stack: Stack, **environment: str) -> None:
        self._registry, self._environment = stack.registry, environment

    def __enter__(self) -> None:
        self._registry.environment = self._environment
        restart(self._registry)

    def __exit__(self, *_: object) -> None:
        self._registry.environment = {}
        restart(self._registry)
