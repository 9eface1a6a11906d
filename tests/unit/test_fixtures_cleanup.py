"""What the suite makes is removed."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harbor_verify.cleanup import new_run_id, project_name, remove_project
from harbor_verify.clients.harbor import Project
from harbor_verify.errors import DeadlinePassed, UnexpectedAnswer


def test_a_project_name_is_one_that_harbor_takes_and_no_other_run_has():
    now = datetime(2026, 11, 24, 2, 30, 15, tzinfo=UTC)
    names = {project_name(new_run_id(now)) for _ in range(20)}
    assert len(names) > 1
    assert all(re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", name) and 2 < len(name) < 30 for name in names)


class HarborThatListsLate:
    """Refuses to delete a project until it was asked `late` times."""

    def __init__(self, late, status=412):
        self.asked, self.late, self.status, self.deleted, self.steps = 0, late, status, False, []
        self.inside, self.refused = {f"verify/{name}" for name in "abcdefghi"}, set()

    def projects(self, name, credentials):
        return {name: Project(name, 7)} if name == "verify-x" else {}

    def repositories(self, project, credentials):
        assert project.name == "verify-x"
        return sorted(self.inside)

    def delete_repository(self, name, credentials):
        if name in self.refused:
            raise UnexpectedAnswer("DELETE → 500", status=500)
        self.inside.discard(name)

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
        front_door=harbor,
        credentials=None,
        settings=settings,
        adopt=lambda: harbor.steps.append("adopt"),
        new_front_door_link=lambda: SimpleNamespace(close=lambda: harbor.steps.append("closed")),
        profile=SimpleNamespace(api=lambda link: harbor),
    )


def test_a_project_is_deleted_once_harbor_knows_all_its_repositories():
    harbor = HarborThatListsLate(late=1)
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.deleted
    steps = [step for step in harbor.steps if step != "closed"]
    assert steps == ["adopt", "delete", "delete"], "what was pushed behind Harbor's back is known to it first"


def test_its_repositories_are_deleted_first_several_at_a_time():
    harbor = HarborThatListsLate(late=0)
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.inside == set()
    assert harbor.steps == ["adopt", "closed", "closed", "closed", "closed", "delete"]


def test_a_repository_that_is_not_deleted_is_left_to_the_deletion_of_the_project():
    harbor = HarborThatListsLate(late=1)
    harbor.refused = {"verify/a"}
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.deleted


def test_a_project_that_is_not_there_is_not_deleted():
    harbor = HarborThatListsLate(late=0)
    remove_project(target_of(harbor, timeout_s=5), "verify-y")
    assert harbor.steps == []


def test_a_project_that_does_not_go_is_told_with_what_is_in_it():
    harbor = HarborThatListsLate(late=99)
    harbor.inside = harbor.refused = {"verify/busybox"}
    with pytest.raises(
        DeadlinePassed, match=r"verify-x is deleted.*412, with repositories \['verify/busybox'\]"
    ):
        remove_project(target_of(harbor, timeout_s=0.1), "verify-x")


def test_another_refusal_is_final():
    harbor = HarborThatListsLate(late=1, status=403)
    with pytest.raises(UnexpectedAnswer):
        remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.asked == 1


def test_of_several_replicas_one_may_be_unwell():
    harbor = HarborThatListsLate(late=1, status=500)
    remove_project(target_of(harbor, timeout_s=5), "verify-x")
    assert harbor.deleted
