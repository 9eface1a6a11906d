"""The checks of projects' quotas, and of what containers ask their nodes for."""

from types import SimpleNamespace

import pytest
import yaml

from harbor_verify.clients.capabilities import Quota
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NotApplicable, UnexpectedAnswer
from harbor_verify.profiles import harbor_2
from suites.capacity.test_quotas import test_no_project_is_about_to_be_refused_for_its_quota as quotas
from suites.capacity.test_resources import test_every_container_says_what_it_needs as resources
from tests.unit import deployments
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

SETTINGS = SimpleNamespace(full_percent=85)
ADMIN = Credentials("admin", "x")


def counting(*known, kept=True):
    front = SimpleNamespace(quotas=lambda credentials: list(known), keeps_quotas=lambda credentials: kept)
    return SimpleNamespace(credentials=ADMIN, front_door=front)


def test_projects_with_room_or_without_a_limit_are_well():
    examine(quotas, counting(Quota("a", 100, 84), Quota("b", -1, 10**9)), SETTINGS, never, {})


@pytest.mark.parametrize("used", [85, 120])
def test_a_project_that_will_be_refused_is_named(used):
    (offender,) = offenders_of(
        quotas, counting(Quota("a", 100, used), Quota("b", 100, 1)), SETTINGS, never, {}
    )
    assert offender.object == "project a"
    assert f"{used} of 100 bytes" in offender.observed


def test_without_limits_nobody_is_refused():
    with pytest.raises(NotApplicable, match="none of 1 projects"):
        examine(quotas, counting(Quota("b", -1, 10**9)), SETTINGS, not_applicable, {})
    with pytest.raises(NotApplicable, match="switched off"):
        examine(quotas, counting(Quota("a", 100, 99), kept=False), SETTINGS, not_applicable, {})


def answering(*entries):
    answer = SimpleNamespace(status_code=200, json=lambda: list(entries))
    return harbor_2.PROFILE.api(SimpleNamespace(get=lambda path, **_: answer))


@pytest.mark.parametrize(
    "told, kept",
    [
        ({}, True),
        ({"quota_per_project_enable": {"value": True, "editable": True}}, True),
        ({"quota_per_project_enable": {"value": False, "editable": True}}, False),
    ],
)
def test_quotas_are_kept_unless_harbor_says_otherwise(told, kept):
    answer = SimpleNamespace(status_code=200, json=lambda: told)
    assert harbor_2.PROFILE.api(SimpleNamespace(get=lambda path, **_: answer)).keeps_quotas(ADMIN) is kept


def test_quotas_are_read_as_the_api_lists_them():
    api = answering(
        {"ref": {"name": "a"}, "hard": {"storage": 100}, "used": {"storage": 7}},
        {"ref": None, "hard": {"storage": 5}, "used": {"storage": 5}},
    )
    assert api.quotas(ADMIN) == [Quota("a", 100, 7)]
    with pytest.raises(UnexpectedAnswer, match="no list of quotas"):
        answering({"ref": {"name": "a"}}).quotas(ADMIN)


def given(*, without=None):
    """A Harbor all of whose containers have resources, but for what they are `without`."""
    objects = [
        each for each in yaml.safe_load_all(deployments.text_of("23-internal-stores-ha-looking")) if each
    ]
    for each in objects:
        if each["kind"] not in ("Deployment", "StatefulSet"):
            continue
        for container in each["spec"]["template"]["spec"]["containers"]:
            declared = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
            if without and without[0] == container["name"]:
                del declared[without[1]][without[2]]
            container["resources"] = declared
    return yaml.safe_dump_all(objects)


def test_containers_that_say_what_they_need_are_well():
    with harbor_of(given()) as (harbor, _):
        examine(resources, harbor)


@pytest.mark.parametrize("kind, name", [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")])
def test_what_a_container_does_not_say_is_told(kind, name):
    with harbor_of(given(without=("core", kind, name))) as (harbor, _):
        (offender,) = offenders_of(resources, harbor)
    assert offender.object == "Deployment harbor/harbor-core"
    assert offender.observed == f"container core has no {kind}.{name}"


def test_as_the_chart_has_it_each_part_is_told():
    with harbor_of(deployments.text_of("01-defaults")) as (harbor, _):
        offenders = offenders_of(resources, harbor)
    assert len({each.object for each in offenders}) == len(harbor.deployment.workloads)
