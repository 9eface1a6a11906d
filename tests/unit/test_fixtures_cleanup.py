"""What the suite makes is removed."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from fixtures.cleanup import Cleanup, leftovers, new_run_id, project_name, remove_project
from fixtures.clients.harbor import Project
from fixtures.errors import DeadlinePassed, LeftBehind, UnexpectedAnswer
from fixtures.verdict import Failure, Offender


def fail(message):
    raise LeftBehind(message)


def test_everything_is_undone_newest_first_whatever_fails():
    undone = []
    cleanup = Cleanup()
    cleanup.later("a", lambda: undone.append("a"))
    cleanup.later("b", lambda: fail("stuck"))
    cleanup.later("c", lambda: undone.append("c"))
    assert cleanup.perform() == ["b: stuck"]
    assert undone == ["c", "a"]
    assert cleanup.perform() == []


def test_a_harbor_that_is_gone_by_then_is_told_as_what_is_left_behind():
    def gone():
        raise Failure([Offender("harbor/registry-rc", "3 replicas", "no pod")])

    cleanup = Cleanup()
    cleanup.later("a", gone)
    (line,) = cleanup.perform()
    assert line == "a: harbor/registry-rc expected: 3 replicas observed: no pod"


def test_a_project_name_is_one_that_harbor_takes_and_no_other_run_has():
    now = datetime(2026, 11, 24, 2, 30, 15, tzinfo=UTC)
    names = {project_name(new_run_id(now)) for _ in range(20)}
    assert len(names) > 1
    assert all(re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", name) and 2 < len(name) < 30 for name in names)


def test_only_projects_of_runs_are_leftovers():
    mine = project_name(new_run_id(datetime.now(UTC)))
    projects = {mine: 1, "verify-me": 2, "my-" + mine: 3, "verify-20261124": 4}
    front_door = SimpleNamespace(projects=lambda name, credentials: projects)
    assert leftovers(SimpleNamespace(front_door=front_door, credentials=None)) == [mine]


class HarborThatListsLate:
    """Refuses to delete a project until it was asked `late` times."""

    def __init__(self, late, status=412):
        self.asked, self.late, self.status, self.deleted, self.steps = 0, late, status, False, []

    def projects(self, name, credentials):
        return {name: Project(name, 7)} if name == "verify-x" else {}

    def repositories(self, project, credentials):
        assert project.name == "verify-x"
        return ["verify/busybox"]

    def delete_project(self, project, credentials):
        assert project == Project("verify-x", 7)
        self.asked += 1
        self.steps.append("delete")
        if self.asked <= self.late:
            raise UnexpectedAnswer(f"DELETE /api/projects/7 → {self.status}", status=self.status)
        self.deleted = True


def target_of(harbor, timeout_s):
    settings = SimpleNamespace(request_timeout_s=timeout_s)
    return SimpleNamespace(
        front_door=harbor, credentials=None, settings=settings, adopt=lambda: harbor.steps.append("adopt")
    )


def test_a_project_is_deleted_once_harbor_knows_all_its_repositories():
    harbor = HarborThatListsLate(late=1)
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.deleted
    assert harbor.steps == ["adopt", "delete", "delete"], (
        "what was pushed behind Harbor's back is known to it first"
    )


def test_a_project_that_is_not_there_is_not_deleted():
    harbor = HarborThatListsLate(late=0)
    remove_project(target_of(harbor, timeout_s=5), "verify-y")
    assert harbor.steps == []


def test_a_project_that_does_not_go_is_told_with_what_is_in_it():
    with pytest.raises(
        DeadlinePassed, match=r"verify-x is deleted.*412, with repositories \['verify/busybox'\]"
    ):
        remove_project(target_of(HarborThatListsLate(late=99), timeout_s=0.1), "verify-x")


def test_another_refusal_is_final():
    harbor = HarborThatListsLate(late=1, status=403)
    with pytest.raises(UnexpectedAnswer):
        remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.asked == 1


def test_of_several_replicas_one_may_be_unwell():
    harbor = HarborThatListsLate(late=1, status=500)
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.deleted
