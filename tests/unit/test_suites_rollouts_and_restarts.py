"""The checks of rollouts that are stuck, and of containers that die again and again, on whole Harbors."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, NotApplicable
from harbor_verify.model.discovery import discover
from harbor_verify.providers import Access
from harbor_verify.target import Target
from suites.configuration.test_restarts import test_containers_stay_up as stay_up
from suites.configuration.test_rollouts import (
    test_every_change_of_a_workload_has_reached_all_of_its_pods as complete,
)
from tests.unit import deployments
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.small_cluster import small_cluster
from tests.unit.test_fixtures_model import REGISTRY, UI, FakeKubernetes
from tests.unit.whole_harbors import harbor_of

DEADLINE = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "has timed out progressing",
}
ABSENT = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}


def changed(name, kind="Deployment", spec=None, **status):
    """A Harbor of two pods each, one of whose workloads is as its status says; `spec`: what else is asked of it."""
    objects = [
        each for each in yaml.safe_load_all(deployments.text_of("23-internal-stores-ha-looking")) if each
    ]
    for each in objects:
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", name):
            each["kind"] = kind
            each["spec"].update(spec or {})
            each["metadata"]["generation"] = 2
            each["status"] = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, **status}
    return yaml.safe_dump_all(objects)


def rolled(harbor):
    examine(complete, harbor, not_applicable=not_applicable)


def test_pods_that_are_all_of_the_template_are_well():
    with harbor_of(changed("harbor-portal")) as (harbor, _):
        rolled(harbor)


def test_a_rollout_that_is_stuck_is_told_with_what_keeps_it_though_all_old_pods_are_ready():
    with harbor_of(changed("harbor-portal", replicas=3, updatedReplicas=1, conditions=[DEADLINE])) as (
        harbor,
        _,
    ):
        (offender,) = offenders_of(complete, harbor, not_applicable)
    assert offender.object == "Deployment harbor/harbor-portal"
    assert offender.observed == (
        "1 of 2 pods are of the new template; ProgressDeadlineExceeded: has timed out progressing"
    )


def test_before_its_deadline_the_new_pod_says_that_it_will_not_come_up(monkeypatch):
    with harbor_of(changed("harbor-portal", replicas=3, updatedReplicas=1)) as (harbor, _):
        of_pods = type(harbor.deployment).replicas

        def replicas(self, role):
            found = of_pods(self, role)
            for replica in found[-1:]:
                replica.pod.status.conditions[0].status = "False"
                state = replica.pod.status.container_statuses[0].state
                state.running, state.waiting = None, _Waiting("ImagePullBackOff")
            return found

        monkeypatch.setattr(type(harbor.deployment), "replicas", replicas)
        (offender,) = offenders_of(complete, harbor, not_applicable)
    assert "harbor-portal-2 Running (ImagePullBackOff)" in offender.observed


class _Waiting:
    def __init__(self, reason):
        self.reason, self.message = reason, ""


@pytest.mark.parametrize("status", [{"replicas": 3, "updatedReplicas": 1}, {"observedGeneration": 1}])
def test_a_rollout_that_goes_on_is_no_verdict(status):
    with harbor_of(changed("harbor-portal", **status)) as (harbor, _):
        with pytest.raises(CannotTell, match="a rollout goes on now"):
            rolled(harbor)


ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
PARTITION = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}
HELD = [
    ("Deployment", {"paused": True}, "it is paused"),
    (
        "StatefulSet",
        ON_DELETE,
        "its updateStrategy is OnDelete: a pod stays as it is until somebody deletes it",
    ),
    ("StatefulSet", PARTITION, "partition 1: pods of a lower number stay as they are"),
]


@pytest.mark.parametrize("kind, spec, told", HELD)
def test_a_change_that_is_held_back_has_not_reached_all_pods(kind, spec, told):
    """It would be no verdict for ever: nobody lets it go on."""
    with harbor_of(changed("harbor-portal", kind, spec, updatedReplicas=1)) as (harbor, _):
        (offender,) = offenders_of(complete, harbor, not_applicable)
    assert offender.observed == f"1 of 2 pods are of the new template; {told}"


@pytest.mark.parametrize("kind, spec, told", HELD)
def test_who_would_hold_a_change_back_and_has_none_is_well(kind, spec, told):
    with harbor_of(changed("harbor-portal", kind, spec)) as (harbor, _):
        rolled(harbor)


@pytest.mark.parametrize(
    "kind, spec, status",
    [
        # Its controller has not seen the newest template: whether a pod is of an old one is not known.
        ("Deployment", {"paused": True}, {"observedGeneration": 1}),
        # A pod is missing, and none is of an old template.
        ("Deployment", {"paused": True}, {"replicas": 1, "updatedReplicas": 1}),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
            {"updatedReplicas": 1},
        ),
        ("StatefulSet", {"updateStrategy": {"type": "RollingUpdate"}}, {"updatedReplicas": 1}),
    ],
)
def test_what_is_not_held_back_is_no_verdict(kind, spec, status):
    with harbor_of(changed("harbor-portal", kind, spec, **status)) as (harbor, _):
        with pytest.raises(CannotTell, match="a rollout goes on now"):
            rolled(harbor)


def test_who_rolls_nothing_out_has_nothing_that_could_be_stuck():
    """ReplicationControllers leave it to others to replace pods."""
    deployment = discover(FakeKubernetes([UI, REGISTRY]), "harbor")
    harbor = type("Harbor", (), {"deployment": deployment})
    with pytest.raises(NotApplicable):
        rolled(harbor)


def died(*, reason="Error", code=1, restarts=1, minutes_ago=12.0):
    ended = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    terminated = {"reason": reason, "exitCode": code, "finishedAt": ended.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"restartCount": restarts, "lastState": {"terminated": terminated}}


@pytest.mark.parametrize(
    "given, told",
    [
        (
            died(reason="OOMKilled", code=137),
            r"core: 1 restarts, the last \d+ min ago \(OOMKilled, exit code 137\)",
        ),
        (died(restarts=14), r"core: 14 restarts, the last \d+ min ago \(Error, exit code 1\)"),
        (died(reason="OOMKilled", code=137, minutes_ago=23 * 60), "OOMKilled"),
        # What a lost node, or a database that was away, leaves behind.
        (died(restarts=3), ""),
        (died(restarts=14, minutes_ago=90), ""),
        (died(reason="OOMKilled", code=137, minutes_ago=25 * 60), ""),
        ({"restartCount": 0}, ""),
    ],
)
def test_a_container_that_goes_on_dying_is_told_though_it_is_ready(given, told):
    with small_cluster(
        deployments.text_of("23-internal-stores-ha-looking"), dying={"core": given}
    ) as kubernetes:
        access = Access("existing", kubernetes, "harbor", "http://h", Credentials("admin", "x"), None, False)
        harbor = Target(access, discover(kubernetes, "harbor"), None)
        if told:
            offenders = offenders_of(stay_up, harbor)
            assert len(offenders) == 2
            assert all(re.search(told, offender.observed) for offender in offenders)
        else:
            examine(stay_up, harbor)
