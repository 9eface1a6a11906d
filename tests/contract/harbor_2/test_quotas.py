"""Quotas: what a project holds, and what it may hold."""

import pytest

from tests.contract.harbor_2 import images, installation, recordings
from tests.contract.harbor_2.images import Denied
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import Stack

TOPIC = "quotas"
BEYOND = "quota of tiny"


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    installation.make(Client(stack))


def test_answers_are_as_recorded_around_a_push_beyond_the_limit(client: Client) -> None:
    exchanges = recordings.section(TOPIC)
    beyond = next(number for number, each in enumerate(exchanges) if each["name"] == BEYOND)
    assert differences(client, TOPIC, exchanges[:beyond]) == []
    with pytest.raises(Denied) as denied:
        images.push(client, "tiny/busybox", "1", size=300_288)
    assert denied.value.status == 403
    assert (
        "adding 293.2 KiB of storage resource, which when updated to current usage of 0 B will exceed the "
        "configured upper limit of 1.0 KiB." in denied.value.answer
    )
    assert '"code":"DENIED"' in denied.value.answer
    assert differences(client, TOPIC, exchanges[beyond:]) == []
    image = images.push(client, "tiny/busybox", "1", size=300_288, to="core-b")
    assert client.api("GET", "/quotas/7")[2]["used"] == {"storage": image.size}


def test_blob_counts_once_a_project_and_is_given_back_with_its_last_artifact(client: Client) -> None:
    def used() -> int:
        return client.api("GET", "/projects/p2/summary", to="core-b")[2]["quota"]["used"]["storage"]

    image = images.push(client, "p2/one", "1", size=5000)
    assert used() == image.size
    copied = "/projects/p2/repositories/two/artifacts"
    assert client.api("POST", f"{copied}?from=p2/one:1")[0] == 201
    assert used() == image.size
    assert client.api("DELETE", "/projects/p2/repositories/one/artifacts/1")[0] == 200
    assert used() == image.size
    assert client.api("DELETE", f"{copied}/1")[0] == 200
    assert used() == 0
