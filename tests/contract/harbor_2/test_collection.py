"""Garbage that is collected while clients push. No sweep was recorded: what a blob goes through is Harbor's own,
middleware/blob and jobservice's garbage collection; that it gives 404 while it is in deletion is told in reports.
"""

import functools
from types import SimpleNamespace

import pytest

from harbor_verify import collecting
from harbor_verify.clients import token_service
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry, by_token
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.profiles.harbor_2.api import Harbor2
from tests.contract.harbor_2.exchanges import USERS
from tests.contract.programs import HOST

ADMIN = Credentials("admin", USERS["admin"])
CORES = ("core-a", "core-b")
LAYER = b"a layer that garbage is collected of"


@pytest.fixture
def harbor(stack):
    """As `collecting` needs a Harbor: each client at the next core."""
    numbers = iter(range(1000))

    def new_link(name=""):
        port = stack[CORES[next(numbers) % 2]].port
        return HttpClient(name or "front-door", f"http://{HOST}:{port}", timeouts_s=(5, 60))

    class Front(Harbor2):
        def close(self):
            self.http.close()

    def registry(credentials, link=None):
        link = link or new_link()
        fetch = functools.cache(lambda scope: token_service.fetch(link, credentials, scope).text)
        return Registry(link, by_token(fetch))

    return SimpleNamespace(
        credentials=ADMIN,
        client=ADMIN,
        new_front_door_link=new_link,
        new_front_door=lambda: Front(new_link()),
        profile=SimpleNamespace(api=Harbor2),
        front_registry=registry,
    )


def lost(harbor, seen):
    found = []
    for place, image in seen.kept.items():
        try:
            collecting.read(harbor, place, image)
        except AnswerError as missing:
            found.append(str(missing))
    return found


def test_no_acknowledged_push_is_lost_and_garbage_of_before_is_freed(harbor, stack):
    registry = harbor.front_registry(ADMIN)
    old = registry.push_blob("library/old", b"nobody's")
    stack.sql(f"UPDATE blob SET update_time = update_time - interval '3 hours' WHERE digest = '{old}'")
    seen = collecting.push_and_collect(harbor, "library", pushes=120, tell=lambda text: None)
    assert (len(seen.acknowledged), lost(harbor, seen), seen.taken) == (120, [], 0)
    assert seen.during > 0
    assert {each.status for each in seen.collections} == {"Success"}
    assert len(seen.collections) >= 2
    assert old in seen.freed
    assert registry.ask_blob("GET", "library/old", old).status_code == 404


def test_a_blob_that_is_in_deletion_can_be_neither_used_nor_sent_until_the_window_is_over(harbor, stack):
    registry = harbor.front_registry(ADMIN)
    digest = registry.push_blob("library/kept", LAYER)
    row = f"UPDATE blob SET status = 'deleting', update_time = now() AT TIME ZONE 'utc' %s WHERE digest = '{digest}'"
    stack.sql(row % "- interval '1 hour'")
    assert registry.ask_blob("HEAD", "library/kept", digest).status_code == 404
    with pytest.raises(UnexpectedAnswer, match="404"):
        registry.push_blob("library/kept", LAYER)
    assert stack.sql(f"SELECT status FROM blob WHERE digest = '{digest}'") == [["deleting"]]
    stack.sql(row % "- interval '3 hours'")
    assert registry.ask_blob("HEAD", "library/kept", digest).status_code == 404
    assert stack.sql(f"SELECT status FROM blob WHERE digest = '{digest}'") == [["deletefailed"]]
    assert registry.push_blob("library/kept", LAYER) == digest
    assert registry.ask_blob("HEAD", "library/kept", digest).status_code == 200
    assert stack.sql(f"SELECT status FROM blob WHERE digest = '{digest}'") == [["none"]]


def test_a_collection_passes_over_what_another_left_in_deletion(harbor, stack):
    registry = harbor.front_registry(ADMIN)
    digest = registry.push_blob("library/kept", b"left in deletion")
    stack.sql(
        f"DELETE FROM project_blob WHERE blob_id = (SELECT id FROM blob WHERE digest = '{digest}'); UPDATE blob SET "
        f"status = 'deleting', update_time = update_time - interval '9 hours' WHERE digest = '{digest}'"
    )
    seen = collecting.push_and_collect(harbor, "library", pushes=4, tell=lambda text: None)
    assert digest not in seen.freed
    assert stack.sql(f"SELECT status FROM blob WHERE digest = '{digest}'") == [["deleting"]]


def test_with_no_time_window_layers_are_collected_under_pushes(harbor, stack):
    """GC_TIME_WINDOW_HOURS=0, as the recordings had it."""
    for core in CORES:
        stack.restart_core(core, GC_TIME_WINDOW_HOURS="0")
    try:
        seen = collecting.push_and_collect(harbor, "library", pushes=60, tell=lambda text: None)
        assert seen.taken or lost(harbor, seen), "no blob was taken from a push"
    finally:
        for core in CORES:
            stack.restart_core(core)
