"""Projects, repositories, artifacts and tags over the API."""

import json

import pytest

from tests.contract.harbor_2 import exchanges, images, installation, recordings
from tests.contract.harbor_2.replay import Client, differences
from tests.contract.harbor_2.stack import Stack

ARTIFACTS = "/projects/p2/repositories/{}/artifacts"


@pytest.fixture(scope="module", autouse=True)
def made(stack: Stack) -> None:
    installation.make(Client(stack))


def test_answers_are_as_recorded(client: Client) -> None:
    assert differences(client, "artifacts", recordings.section("artifacts")) == []


def test_deleted_artifact_is_gone_with_all_of_its_tags_on_every_core(client: Client) -> None:
    image = images.push(client, "p2/two", "one")
    images.put(client, "p2/two", "two", image.manifest, images.MANIFEST, to="core-b")
    assert images.pull(client, "p2/two", "two") == 200

    assert client.api("DELETE", f"{ARTIFACTS.format('two')}/one", to="core-b")[0] == 200

    statuses = {
        reference: [images.pull(client, "p2/two", reference, to=to) for to in ("core-a", "core-b")]
        for reference in ("one", "two", image.digest)
    }
    assert statuses == {"one": [404, 404], "two": [404, 404], image.digest: [404, 404]}
    assert client.api("GET", ARTIFACTS.format("two"))[2] == []


def test_deleted_artifact_can_be_pushed_again(client: Client) -> None:
    image = images.push(client, "p2/again", "1")
    assert client.api("DELETE", f"{ARTIFACTS.format('again')}/{image.digest}")[0] == 200
    images.put(client, "p2/again", "1", image.manifest, images.MANIFEST)
    assert images.pull(client, "p2/again", image.digest, to="core-b") == 200


def test_moved_tag_leaves_its_artifact_untagged(client: Client) -> None:
    old, new = (images.push(client, "p2/moved", "latest") for _ in range(2))
    found = client.api("GET", f"{ARTIFACTS.format('moved')}?with_tag=true", to="core-b")[2]
    assert {artifact["digest"]: [tag["name"] for tag in artifact["tags"] or []] for artifact in found} == {
        old.digest: [],
        new.digest: ["latest"],
    }


def test_slash_in_a_repository_is_encoded_twice(client: Client) -> None:
    images.push(client, "p2/deep/er", "1")
    status, _, found = client.api("GET", f"{ARTIFACTS.format('deep%252Fer')}/1")
    assert (status, found["repository_name"]) == (200, "p2/deep/er")
    assert client.api("DELETE", "/projects/p2/repositories/deep%252Fer")[0] == 200
    assert images.pull(client, "p2/deep/er", "1") == 404


def test_index_shows_its_images_and_takes_them_with_it(client: Client) -> None:
    first, second = (images.push(client, "p2/many", name) for name in ("a", "b"))
    index = images.push_index(client, "p2/many", "all", first, second)
    _, _, found = client.api("GET", f"{ARTIFACTS.format('many')}/all")
    assert [reference["child_digest"] for reference in found["references"]] == [first.digest, second.digest]
    status, _, answer = client.api("DELETE", f"{ARTIFACTS.format('many')}/a")
    assert (status, answer["errors"][0]["code"]) == (412, "PRECONDITION")
    assert client.api("DELETE", f"{ARTIFACTS.format('many')}/a/tags/a")[0] == 200
    assert client.api("DELETE", f"{ARTIFACTS.format('many')}/{index}")[0] == 200
    assert images.pull(client, "p2/many", first.digest) == 404
    assert images.pull(client, "p2/many", "b") == 200


def test_copy_can_be_pulled(client: Client) -> None:
    image = images.push(client, "library/origin", "1")
    status, headers, _ = client.api(
        "POST", f"{ARTIFACTS.format('copied')}?from=library/origin:1", to="core-b"
    )
    assert (status, dict(headers)["Location"]) == (
        201,
        "/api/v2.0/projects/p2/repositories/copied/artifacts/1",
    )
    assert images.pull(client, "p2/copied", "1") == 200
    assert images.blob_status(client, "p2/copied", image.layer) == 200


def test_member_sees_and_writes_what_the_role_allows(client: Client) -> None:
    password = "Contract12345"
    for name in ("dev", "stranger"):
        user = {"username": name, "email": f"{name}@harbor.example", "password": password, "realname": name}
        assert client.api("POST", "/users", user)[0] == 201
    member = {"role_id": 2, "member_user": {"username": "dev"}}
    assert client.api("POST", "/projects/p3/members", member)[0] == 201
    assert client.api("POST", "/projects/p3/members", member)[0] == 409
    _, _, found = client.api("GET", "/projects/p3/members")
    assert [(each["entity_name"], each["role_name"]) for each in found] == [
        ("admin", "projectAdmin"),
        ("dev", "developer"),
    ]
    dev, stranger = f"dev:{password}", f"stranger:{password}"

    images.push(client, "p3/mine", "1", user=dev)
    names = {
        user: [project["name"] for project in client.api("GET", "/projects", user=user)[2]]
        for user in (dev, stranger)
    }
    assert ("p3" in names[dev], "p3" in names[stranger]) == (True, False)
    statuses = {
        user: [
            client.api("GET", "/projects/p3/repositories/mine/artifacts/1", user=user)[0],
            client.api("DELETE", "/projects/p3/repositories/mine/artifacts/1", user=user)[0],
            images.pull(client, "p3/mine", "1", user=user),
        ]
        for user in (dev, stranger)
    }
    assert statuses == {dev: [200, 403, 200], stranger: [403, 403, 401]}


def test_page_is_of_100_at_most(client: Client) -> None:
    assert client.api("GET", "/projects?page_size=100")[0] == 200
    status, _, answer = client.api("GET", "/projects?page_size=101")
    assert (status, answer["errors"][0]["code"]) == (422, "UNPROCESSABLE_ENTITY")


def test_what_refers_to_an_image_is_listed_there_and_goes_with_it(client: Client) -> None:
    image = images.push(client, "p2/signed", "1")
    signature = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": images.MANIFEST,
            "artifactType": "application/x-signature",
            "config": json.loads(image.manifest)["config"],
            "layers": [],
            "subject": {"mediaType": images.MANIFEST, "digest": image.digest, "size": len(image.manifest)},
        }
    ).encode()
    images.put(client, "p2/signed", images.digest(signature), signature, images.MANIFEST)

    assert [each["digest"] for each in client.api("GET", ARTIFACTS.format("signed"))[2]] == [image.digest]
    assert _referrers(client, image, "core-b") == [images.digest(signature)]
    assert _referrers(client, image, "core-b", "?artifactType=application/x-other") == []

    assert client.api("DELETE", f"{ARTIFACTS.format('signed')}/1", to="core-b")[0] == 200
    assert images.pull(client, "p2/signed", images.digest(signature)) == 404
    assert _referrers(client, image, "core-a") == []


def test_a_database_of_an_older_stand_in_gets_the_table_of_referrers(client: Client, stack: Stack) -> None:
    stack.sql("DROP TABLE artifact_accessory")
    stack.restart_core("core-a")
    assert _referrers(client, images.push(client, "p2/older", "1"), "core-a") == []


def _referrers(client: Client, image: images.Image, to: str, query: str = "") -> list[str]:
    """Their digests, of an image in p2/signed."""
    target = f"/v2/p2/signed/referrers/{image.digest}{query}"
    status, _, body, _ = client.request(to, "GET", target, {"Authorization": exchanges.credentials("admin")})
    assert status == 200, body
    return [each["digest"] for each in json.loads(body)["manifests"]]
