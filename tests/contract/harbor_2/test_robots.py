"""Robot accounts."""

import pytest

from tests.contract.harbor_2 import images, installation, recordings
from tests.contract.harbor_2.images import Denied
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import Stack

SECRETS = {
    "create system robot on core-a": (1, "RrOLeIcojpAK8mLQWhLSDsxkOsumzSk1"),
    "create project robot": (2, "KnqhRnVldWaeDp4J2GhnYogAYjqP1GBC"),
}


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    installation.make(Client(stack))


def test_answers_are_as_recorded(client: Client) -> None:
    """Each robot is given the secret that it had in the recording, once it is there."""
    wrong = []
    for exchange in recordings.section("robots"):
        wrong += differences(client, "robots", [exchange])
        if exchange["name"] in SECRETS:
            robot_id, secret = SECRETS[exchange["name"]]
            assert client.api("PATCH", f"/robots/{robot_id}", {"secret": secret})[0] == 200
    assert wrong == []


def test_project_robot_pushes_into_its_project_only(client: Client) -> None:
    access = [{"resource": "repository", "action": action} for action in ("pull", "push")]
    robot = {
        "name": "builder",
        "level": "project",
        "duration": 1,
        "permissions": [{"kind": "project", "namespace": "p2", "access": access}],
    }
    status, _, made = client.api("POST", "/robots", robot)
    assert (status, made["name"]) == (201, "robot$p2+builder")
    user = f"{made['name']}:{made['secret']}"
    images.push(client, "p2/built", "1", user=user, to="core-b")
    assert images.pull(client, "p2/built", "1", user=user) == 200
    with pytest.raises(Denied) as denied:
        images.push(client, "p1/built", "1", user=user)
    assert denied.value.status == 401

    status, _, renewed = client.api("PATCH", f"/robots/{made['id']}", {})
    assert status == 200
    assert images.pull(client, "p2/built", "1", user=f"{made['name']}:{renewed['secret']}") == 200
