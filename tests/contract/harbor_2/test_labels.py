"""Labels, as the API's description has them; they are in no recording."""

import json

import pytest

from tests.contract.harbor_2 import installation
from tests.contract.harbor_2.replay import Client
from tests.contract.harbor_2.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    installation.make(Client(stack))


def project_id(client: Client, name: str) -> int:
    return int(client.api("GET", f"/projects/{name}")[2]["project_id"])


def names(client: Client, query: str, *, to: str = "core-b", user: str = "admin") -> list[str]:
    status, _, listed = client.api("GET", f"/labels?{query}", to=to, user=user)
    assert status == 200
    return [each["name"] for each in listed]


def test_a_label_of_a_project_is_made_at_one_core_and_seen_at_the_other_until_it_is_deleted(
    client: Client,
) -> None:
    number = project_id(client, "p1")
    label = {"name": "one", "scope": "p", "project_id": number}
    status, headers, _ = client.api("POST", "/labels", label)
    assert status == 201
    location = dict(headers)["Location"]
    assert location.startswith("/api/v2.0/labels/")
    path = location.removeprefix("/api/v2.0")
    assert names(client, f"scope=p&project_id={number}") == ["one"]
    status, _, document = client.api("GET", path, to="core-b")
    assert (status, document["name"], document["scope"], document["project_id"]) == (200, "one", "p", number)
    assert "color" not in document
    assert client.api("POST", "/labels", label, to="core-b")[0] == 409
    assert client.api("PUT", path, {**label, "name": "two", "color": "#0065AB"})[0] == 200
    assert client.api("GET", path, to="core-b")[2]["color"] == "#0065AB"
    assert client.api("DELETE", path)[0] == 200
    assert client.api("GET", path)[0] == 404
    assert client.api("DELETE", path)[0] == 404
    assert names(client, f"scope=p&project_id={number}") == []


def test_a_list_is_of_one_scope_and_comes_in_pages_with_names_that_contain_what_is_asked_for(
    client: Client,
) -> None:
    number = project_id(client, "p2")
    for name in ("red-1", "red-2", "blue-1"):
        label = {"name": name, "scope": "p", "project_id": number}
        assert client.api("POST", "/labels", label)[0] == 201
    assert client.api("POST", "/labels", {"name": "red-1", "scope": "g"})[0] == 201
    assert names(client, f"scope=p&project_id={number}&name=red") == ["red-1", "red-2"]
    assert names(client, "scope=g") == ["red-1"]
    status, headers, listed = client.api("GET", f"/labels?scope=p&project_id={number}&page=2&page_size=2")
    assert (status, [each["name"] for each in listed]) == (200, ["blue-1"])
    assert dict(headers)["X-Total-Count"] == "3"


@pytest.mark.parametrize("query", ["", "?scope=x", "?scope=p", "?scope=p&project_id=0"])
def test_a_list_of_no_scope_is_refused(client: Client, query: str) -> None:
    assert client.api("GET", f"/labels{query}")[0] == 400


def test_who_may_not_is_refused(client: Client) -> None:
    number = project_id(client, "p1")
    label = {"name": "theirs", "scope": "p", "project_id": number}
    json_headers = {"Content-Type": "application/json"}
    anonymous = client.request("core-a", "POST", "/api/v2.0/labels", json_headers, json.dumps(label))
    assert anonymous[0] in (401, 403)
    assert names(client, f"scope=p&project_id={number}") == []
    assert client.api("POST", "/labels", {**label, "scope": "x"})[0] == 400
    assert client.api("POST", "/labels", {**label, "project_id": 9999})[0] == 404
