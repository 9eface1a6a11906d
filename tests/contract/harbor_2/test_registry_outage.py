"""A registry that is down, and two that do not fit together."""

import http.client
from collections.abc import Iterator

import pytest

from tests.contract.harbor_2 import images, recordings
from tests.contract.harbor_2.exchanges import credentials
from tests.contract.harbor_2.images import Denied
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import Stack
from tests.contract.programs import free_port

TOPIC = "registry_jobservice_faults"


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    images.push(Client(stack), "library/busybox", "1")


@pytest.fixture
def registry_down(stack: Stack) -> Iterator[None]:
    stack["registry"].end(9)
    yield
    stack["registry"].start()


@pytest.mark.usefixtures("registry_down")
def test_answers_are_as_recorded_while_the_registry_is_down(client: Client) -> None:
    assert differences(client, TOPIC, recordings.section(TOPIC, "registry down")) == []


def test_upload_begun_at_one_registry_is_unknown_to_another_with_a_different_secret(
    stack: Stack, client: Client
) -> None:
    stack.another_registry("registry-2", secret="anotherHttpSecret").start()
    core = stack.core("core-c", free_port(), REGISTRY_URL=stack.url("registry-2"))
    core.start()
    headers = {"Authorization": credentials("admin")}
    _, fields, _, _ = client.request("core-a", "POST", "/v2/library/busybox/blobs/uploads/", headers)
    location = dict(fields)["Location"]
    status, _, answer, _ = client.request(
        "core-c", "PATCH", location[location.index("/v2/") :], headers, b"x" * 100
    )
    assert (status, b"BLOB_UPLOAD_INVALID" in answer) == (404, True)
    assert images.pull(client, "library/busybox", "1", to="core-c") == 200


def test_separate_storage_shows_when_bytes_are_read(stack: Stack, client: Client) -> None:
    """Not before: the blob's descriptor is in the Redis that both registries use."""
    stack.another_registry("registry-3", storage="storage-3").start()
    stack.core("core-d", free_port(), REGISTRY_URL=stack.url("registry-3")).start()
    image = images.push(client, "library/split", "1")
    assert images.blob_status(client, "library/split", image.layer, to="core-d") == 200
    assert images.pull(client, "library/split", "1", to="core-d") == 404
    headers = {"Authorization": credentials("admin")}
    with pytest.raises((OSError, http.client.IncompleteRead)):
        client.request("core-d", "GET", f"/v2/library/split/blobs/{image.layer}", headers)


def test_push_through_a_registry_that_is_down_is_refused(stack: Stack, client: Client) -> None:
    stack["registry"].end(9)
    try:
        with pytest.raises(Denied) as denied:
            images.push(client, "library/late", "1")
        assert denied.value.status == 502
    finally:
        stack["registry"].start()
