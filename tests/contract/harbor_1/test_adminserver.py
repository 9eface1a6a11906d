"""The adminserver: keys and types, secrets, what it stores, and what a restart with another environment changes."""

import json
import re

import pytest

from lab.harbor.harbor_1.adminserver.service import Service
from lab.harbor.harbor_1.adminserver.store import Store
from lab.harbor.web.request import Request
from tests.contract.harbor_1 import exchanges, recordings
from tests.contract.harbor_1.replay import Client, differences
from tests.contract.harbor_1.stack import SECRET_KEY, SETTINGS, UI_SECRET, Stack, adminserver


@pytest.fixture
def start(tmp_path):
    """Start the adminserver with a changed environment, in place of the one that runs: start(VARIABLE="…")."""
    alone = Stack(folder=tmp_path)

    def start(*, wait=True, key=SECRET_KEY, **changed):
        if "adminserver" in alone.programs:
            alone.adminserver.end()
        alone.programs["adminserver"] = adminserver("adminserver", tmp_path, **changed)
        (tmp_path / "adminserver.key").write_text(key)
        if wait:
            alone.adminserver.start()
        else:
            alone.adminserver.launch()
        return Client(alone)

    start.stack = alone
    yield start
    alone.adminserver.end()


def test_every_exchange_is_answered_as_recorded(start, tmp_path):
    """Each restart of the recorded one is one here."""
    other = {
        "EXT_ENDPOINT": "http://other.lab",
        "MYSQL_HOST": "otherhost",
        "MYSQL_PWD": "otherpw",
        "MYSQL_USR": "otherusr",
    }
    minimal = dict.fromkeys(SETTINGS, None) | {
        "EXT_ENDPOINT": "http://harbor.lab",
        "HARBOR_ADMIN_PASSWORD": "Harbor12345",
        "AUTH_MODE": "db_auth",
        "ADMIRAL_URL": "NA",
        "DATABASE_TYPE": "mysql",
        "REGISTRY_URL": "http://registry:5000",
        **{name: SETTINGS[name] for name in ("UI_SECRET", "JOBSERVICE_SECRET")},
        **{f"MYSQL_{name}": SETTINGS[f"MYSQL_{name}"] for name in ("HOST", "PORT", "USR", "PWD", "DATABASE")},
        "RESET": "true",
    }
    steps = {
        "no cookie": {},
        "RESET=false, MYSQL_HOST changed": other | {"RESET": "false"},
        "RESET=true, MYSQL_HOST changed": other,
        "minimal environment (only secrets, DB, RESET)": minimal,
        "ADMIRAL_URL unset": {"ADMIRAL_URL": None},
    }
    wrong = []
    for exchange in recordings.section("adminserver"):
        name = exchange["name"]
        if name == "capacity":  # is that of a folder of the machine: see below
            continue
        if name in steps:
            client = start(**steps[name])
        wrong += differences(client, "adminserver", [exchange])
    assert not wrong, "\n".join(wrong)


def test_the_text_of_the_settings_is_gos(start):
    """Recorded in adminserver.json, 'ui secret': 932 bytes, keys sorted, no blanks, < and > escaped."""
    _, _, body, _ = start().request(
        "adminserver", "GET", "/api/configurations", {"Cookie": f"secret={UI_SECRET}"}
    )
    assert len(body) == 932
    assert b'"email_from":"admin \\u003cu@example.com\\u003e"' in body
    assert list(json.loads(body)) == sorted(json.loads(body))


def test_passwords_are_stored_encrypted_and_another_key_makes_garbage_of_them(start, tmp_path):
    """Recorded in adminserver.json, observation 'file …/config.json' and 'other key, RESET=false, old config file'."""
    start()
    stored = json.loads((tmp_path / "adminserver.json").read_text())
    recorded = "<enc-v1>ackMJ1MRjMyjn48TWNmICmQmhhdTkR15XMLB"
    assert len(stored["admin_initial_password"]) == len(recorded)
    encrypted = {name for name, value in stored.items() if str(value).startswith("<enc-v1>")}
    assert encrypted == {
        "admin_initial_password",
        "clair_db_password",
        "email_password",
        "ldap_search_password",
        "mysql_password",
    }
    client = start(key="fedcba9876543210", RESET="false")
    (exchange,) = recordings.section("adminserver", "ui secret")
    settings = client.send(exchange)["answer"]
    assert settings["admin_initial_password"] != "Harbor12345"
    assert settings["mysql_password"] == "harbork8s"  # this one is read from the environment again


@pytest.mark.parametrize("reset, applied", [("true", True), ("True", False), (None, False), ("false", False)])
def test_only_the_word_true_resets(start, reset, applied):
    """Recorded in adminserver.json, observation 'RESET=True (capital T)'."""
    start()
    client = start(RESET=reset, MYSQL_HOST="otherhost")
    (exchange,) = recordings.section("adminserver", "ui secret")
    assert (client.send(exchange)["answer"]["mysql_host"] == "otherhost") is applied


def test_a_store_that_is_empty_is_filled_from_the_environment(start):
    """Recorded in adminserver.json, observation 'RESET=false, no config file'."""
    client = start(RESET="false")
    (exchange,) = recordings.section("adminserver", "ui secret")
    assert client.send(exchange)["answer"] == exchange["answer"]


@pytest.mark.parametrize(
    "key, changed, reason",
    [
        (f"{SECRET_KEY}\n", {}, "crypto/aes: invalid key size 17"),
        (SECRET_KEY, {"MYSQL_PORT": "abc"}, 'strconv.Atoi: parsing "abc": invalid syntax'),
        (SECRET_KEY, {"MYSQL_PORT": "tcp://10.0.0.2:3306"}, 'strconv.Atoi: parsing "tcp://10.0.0.2:3306"'),
        (SECRET_KEY, {"JSON_CFG_STORE_PATH": "/proc/config.json"}, "/proc/config.json"),
    ],
)
def test_what_it_cannot_start_with_ends_it_with_1(start, key, changed, reason):
    """Recorded in adminserver.json, faults.json and startup.json."""
    start(wait=False, key=key, **changed)
    assert start.stack.adminserver.exit_code() == 1
    assert reason in start.stack.adminserver.log().rpartition("failed to initialize the system:")[2]


def test_an_empty_number_is_zero(start):
    """Recorded in adminserver.json, observation 'MYSQL_PORT empty'."""
    client = start(MYSQL_PORT="")
    (exchange,) = recordings.section("adminserver", "ui secret")
    assert client.send(exchange)["answer"]["mysql_port"] == 0


def test_the_folder_of_the_store_is_made(start, tmp_path):
    """Recorded in faults.json, observation 'JSON_CFG_STORE_PATH=/tmp/cfg/c.json (folder absent)'."""
    start(JSON_CFG_STORE_PATH=str(tmp_path / "absent" / "c.json"))
    assert (tmp_path / "absent" / "c.json").exists()


@pytest.mark.parametrize("there", [True, False])
def test_the_capacity_is_that_of_data_and_without_it_an_error(tmp_path, there):
    """Recorded in adminserver.json 'capacity', and faults.json 'adminserver without /data: capacity'."""
    data = tmp_path / "data"
    if there:
        data.mkdir()
    (tmp_path / "key").write_text(SECRET_KEY)
    service = Service(Store(tmp_path / "c.json", tmp_path / "key"), {UI_SECRET}, data=data)
    response = service.answer(Request("GET", "/api/systeminfo/capacity", {"Cookie": f"secret={UI_SECRET}"}))
    if there:
        (exchange,) = recordings.section("adminserver", "capacity")
        assert exchanges.content(response.body.decode()) == exchange["answer"]
        assert re.fullmatch(rb'\{"total":\d+,"free":\d+\}', response.body)
    else:
        assert (response.status, response.body) == (500, b"Internal Server Error\n")
