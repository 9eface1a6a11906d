"""The checks of quotas and of robot accounts, on a Harbor of a few lines."""

import random
from types import SimpleNamespace

import pytest

from harbor_verify.clients.capabilities import Robot
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.clients.image import Image
from harbor_verify.errors import NoAnswer, NotApplicable, UnexpectedAnswer
from harbor_verify.model.roles import Role
from suites.access import test_robots
from suites.registry.test_quota import (
    test_the_quota_counts_what_was_pushed_and_frees_what_was_deleted as quota,
)
from tests.unit.running import examine, never, not_applicable, offenders_of

ADMIN, PROJECT = Credentials("admin", "hush"), Project("p", 7)


def new_image(size_bytes=16):
    return Image.make(random.Random(1).randbytes(size_bytes), run_id="r")


class Quota:
    """A web replica, and the front door, of a Harbor that counts `counts` of what is pushed, and frees or not."""

    def __init__(self, counts=1.0, frees=True, silent=False, kept=True):
        self.used, self.counts, self.frees, self.silent = 1000, counts, frees, silent
        self.http, self.kept = None, kept

    def keeps_quotas(self, credentials):
        return self.kept

    def projects(self, name, credentials):
        return {name: PROJECT}

    def used_bytes(self, project, credentials):
        if self.silent:
            raise NoAnswer("silence", sent=True)
        return self.used

    def push(self, image, repository, tag):
        self.pushed = int((len(image.layer) + len(image.configuration)) * self.counts)
        self.used += self.pushed

    def delete_repository(self, name, credentials):
        if self.frees:
            self.used -= self.pushed


def counting(front, *webs):
    replicas = [SimpleNamespace(object=f"pod h/web-{n}") for n, _ in enumerate(webs)]
    return SimpleNamespace(
        access=SimpleNamespace(url="http://h"),
        settings=SimpleNamespace(converge_timeout_s=0.1),
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        front_door=front,
        front_registry_for_all=lambda link: front,
        replicas=lambda role: replicas,
        web=lambda replica: webs[replicas.index(replica)],
    )


def test_what_is_counted_and_freed_is_well():
    front, measured = Quota(), {}
    examine(quota, counting(front, front, front), "p", new_image, measured, never)
    assert measured["counted_bytes"] > 256 * 1024


def test_quotas_that_are_switched_off_are_not_judged():
    with pytest.raises(NotApplicable, match="switched off"):
        examine(quota, counting(Quota(counts=0, kept=False)), "p", new_image, {}, not_applicable)


@pytest.mark.parametrize("counts", [0, 0.5, 2])
def test_another_figure_is_named_on_every_replica(counts):
    front = Quota(counts=counts)
    offenders = offenders_of(quota, counting(front, front, front), "p", new_image, {}, never)
    assert [offender.object for offender in offenders] == ["pod h/web-0", "pod h/web-1"]
    assert "were pushed" in offenders[0].expected


def test_what_is_not_freed_is_named():
    front = Quota(frees=False)
    (offender,) = offenders_of(quota, counting(front, front), "p", new_image, {}, never)
    assert "were deleted" in offender.expected


def test_a_replica_that_does_not_tell_is_named():
    front = Quota()
    offenders = offenders_of(quota, counting(front, front, Quota(silent=True)), "p", new_image, {}, never)
    assert {(offender.object, offender.observed) for offender in offenders} == {("pod h/web-1", "silence")}


class Robots:
    """Web replica, front door and registry of a Harbor with robots."""

    def __init__(self, *, takes=True, everywhere=False, outlives=False):
        self.takes, self.everywhere, self.outlives = takes, everywhere, outlives
        self.deleted, self.images = False, {}
        self.http = self

    def projects(self, name, credentials):
        return {name: PROJECT}

    def delete_robot(self, robot_id, credentials):
        self.deleted = True

    def push(self, image, repository, tag):
        if not self.takes:
            raise UnexpectedAnswer("POST /v2/… → 401", status=401)
        self.images[image.digest] = image
        return image.digest

    def pull(self, repository, digest):
        return self.images[digest]

    def begin_upload(self, repository):
        if not self.everywhere:
            raise UnexpectedAnswer("POST /v2/… → 403", status=403)


def robots(web, monkeypatch):
    def fetch(http, credentials, scope):
        return SimpleNamespace(grants={"repository:p/robot": {"pull"}} if web.outlives else {})

    monkeypatch.setattr(test_robots.token_service, "fetch", fetch)
    replica = SimpleNamespace(name="web-0", object="pod h/web-0")
    return SimpleNamespace(
        access=SimpleNamespace(url="http://h"),
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        front_door=web,
        registry_api_replicas=lambda: [replica],
        replicas={Role.WEB: [replica]}.get,
        registry=lambda replica, credentials: web,
        web=lambda replica: web,
    )


check = test_robots.test_a_robot_account_pushes_and_pulls_in_its_project_and_nowhere_else


def arguments(web, monkeypatch):
    front = robots(web, monkeypatch)
    return front, "p", "q", new_image, lambda project: Robot(1, Credentials(f"robot${project}", "hush"))


def test_a_robot_that_may_what_it_should_and_no_more_is_well(monkeypatch):
    web = Robots()
    examine(check, *arguments(web, monkeypatch))
    assert web.deleted


@pytest.mark.parametrize(
    "web, told",
    [
        (Robots(takes=False), "401"),
        (Robots(everywhere=True), "it was let in"),
        (Robots(outlives=True), "it grants"),
    ],
)
def test_a_robot_that_may_too_little_or_too_much_is_named(web, told, monkeypatch):
    (offender,) = offenders_of(check, *arguments(web, monkeypatch))
    assert told in offender.observed
