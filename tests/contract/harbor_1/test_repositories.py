"""Repositories: what the registry reports becomes records, and the API shows what the registry has.

The tests of this file follow each other as the recordings did.
"""

import pytest

from tests.contract.harbor_1 import images, recordings
from tests.contract.harbor_1.replay import differences
from tests.contract.programs import wait


@pytest.fixture(scope="module", autouse=True)
def projects(stack):
    """Users and projects as they were when repositories were recorded."""
    from tests.contract.harbor_1.replay import Client

    client = Client(stack)
    for exchange in recordings.section("login", "create user (self registration)"):
        client.send(exchange)
    assert not differences(client, "projects", recordings.section("projects"))
    body = '{"project_name": "race2"}'
    client.send({"to": "ui1", "request": "POST /api/projects", "as": "admin", "body": body})
    return client


def test_only_pushes_by_docker_and_harbor_become_records(client, stack):
    """Recorded in repositories.json, observations 'row after …'."""
    images.push(client, "alpha/hello", "v1")
    wait(lambda: rows(stack) == ["alpha/hello"], "the record of alpha/hello", deadline_s=5)
    images.push(client, "alpha/other", "v1", agent="skopeo/1.9.3")
    images.push(client, "alpha/fourth", "v1", agent="Docker-Client/20.10 (linux)")
    images.push(client, "alpha/third", "v1", agent="harbor-registry-client")
    wait(lambda: "alpha/third" in rows(stack), "the record of alpha/third", deadline_s=5)
    images.push(client, "alpha/fifth", "v1", agent="docker-py/1.0")
    wait(lambda: "alpha/fifth" in rows(stack), "the record of alpha/fifth", deadline_s=5)
    assert rows(stack) == ["alpha/hello", "alpha/third", "alpha/fifth"]


def test_lists_tags_and_manifests_are_as_recorded(client):
    wrong = differences(client, "repositories", between("list after pushes", "statistics"))
    assert not wrong, "\n".join(wrong)


def test_pulls_are_counted(client, stack):
    """Recorded in repositories.json: each HEAD and each GET of the manifest by a docker client counts."""
    token = images.admin_token(client, "repository:alpha/hello:pull")
    headers = {
        "User-Agent": images.DOCKER,
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.docker.distribution.manifest.v2+json",
    }
    for method in ("HEAD", "GET"):
        status, _, _, _ = client.request("registry", method, "/v2/alpha/hello/manifests/v1", headers)
        assert status == 200
    counted = "SELECT pull_count FROM repository WHERE name = 'alpha/hello'"
    wait(lambda: stack.sql(counted) == [["2"]], "two pulls are counted", deadline_s=5)
    stack.sql("UPDATE repository SET pull_count = 0; DELETE FROM access_log WHERE operation = 'pull'")


def test_a_synchronisation_finds_what_was_not_reported(client, stack):
    wrong = differences(client, "repositories", between("project delete with repositories", "sync registry"))
    assert not wrong, "\n".join(wrong)
    assert set(rows(stack)) == {f"alpha/{name}" for name in ("fifth", "fourth", "hello", "other", "third")}


def test_deleting_a_tag_deletes_all_tags_of_its_digest(client, stack):
    images.push(client, "alpha/hello", "v1", "v1b")
    images.push(client, "alpha/hello", "v2")
    wrong = differences(client, "repositories", between("tags with three", "list after deletes"))
    assert not wrong, "\n".join(wrong)
    assert set(rows(stack)) == {f"alpha/{name}" for name in ("fifth", "fourth", "other")}


def test_oci_images_are_seen_only_dimly(client, stack):
    images.push(client, "alpha/oci", "v1", oci=True)
    wrong = differences(
        client, "repositories", between("OCI tags through the API", "OCI one tag through the API")
    )
    assert "alpha/oci" not in rows(stack)
    wrong += differences(client, "repositories", between("OCI sync", "OCI delete tag through the API"))
    assert not wrong, "\n".join(wrong)
    assert "alpha/oci" in rows(stack)


def test_a_notification_may_hold_several_events_and_one_of_an_absent_project_is_ignored(client, stack):
    """Recorded in repositories.json, 'notification with two events straight at the ui'."""
    body = (
        f'{{"events": [{event("alpha/evone", "a")}, {event("zzz/evone", "a")}, {event("alpha/evtwo", "b")}]}}'
    )
    assert client.send({"to": "ui1", "request": "POST /service/notifications", "body": body})["status"] == 200
    wait(lambda: {"alpha/evone", "alpha/evtwo"} <= set(rows(stack)), "both records", deadline_s=5)
    assert "zzz/evone" not in rows(stack)
    logged = stack.sql(
        "SELECT username, repo_name, repo_tag, operation FROM access_log ORDER BY log_id DESC LIMIT 2"
    )
    assert sorted(logged) == [["admin", "alpha/evone", "a", "push"], ["admin", "alpha/evtwo", "b", "push"]]


def rows(stack) -> list[str]:
    return [name for (name,) in stack.sql("SELECT name FROM repository ORDER BY repository_id")]


def between(first: str, last: str):
    """The recorded exchanges from one name to another, both included."""
    section = recordings.section("repositories")
    names = [exchange["name"] for exchange in section]
    return section[names.index(first) : names.index(last) + 1]


def event(repository: str, tag: str) -> str:
    return f"""{{"action": "push", "target": {{
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "repository": "{repository}", "tag": "{tag}"}},
        "request": {{"useragent": "docker/17.06"}}, "actor": {{"name": "admin"}}}}"""
