"""What this account may not do is named, and blocks what needs it: it is neither Harbor's fault nor a bug."""

import json
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import NeedMissing, RightMissing, TargetUnreachable
from harbor_verify.model.discovery import discover
from harbor_verify.plugin import needs
from harbor_verify.plugin.outcome import Outcome, _take_in
from harbor_verify.reports.model import Verdict
from tests.unit.test_fixtures_discovery import Cluster, newer

MESSAGE = 'secrets is forbidden: User "verifier" cannot get resource "secrets" in the namespace "harbor"'


def refused(status):
    answer = client.ApiException(status=status, reason="Forbidden")
    answer.body = json.dumps({"message": MESSAGE})
    return answer


def ask(status):
    kubernetes = Kubernetes.__new__(Kubernetes)
    kubernetes.configuration = SimpleNamespace(host="https://k")

    def call():
        raise refused(status)

    return kubernetes.ask("read Secret harbor/core", call)


def test_what_the_account_may_not_is_a_right_that_is_missing_and_names_it():
    with pytest.raises(RightMissing, match='cannot get resource "secrets"') as told:
        ask(403)
    assert isinstance(told.value, NeedMissing)
    assert isinstance(told.value, TargetUnreachable)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_any_other_refusal_is_no_right(status):
    with pytest.raises(TargetUnreachable) as told:
        ask(status)
    assert not isinstance(told.value, NeedMissing)


@pytest.mark.parametrize(
    "when, strict, verdict",
    [
        ("call", False, Verdict.BLOCKED),
        ("setup", False, Verdict.BLOCKED),
        ("call", True, Verdict.ERROR),
        # Something could not be taken back.
        ("teardown", False, Verdict.ERROR),
    ],
)
def test_a_check_that_lacks_a_right_is_blocked(when, strict, verdict):
    outcome = Outcome(SimpleNamespace(severity="must"), "hint")
    call = SimpleNamespace(excinfo=SimpleNamespace(value=RightMissing(MESSAGE)), when=when)
    _take_in(outcome, call, strict_skips=strict)
    assert outcome.verdict is verdict
    assert MESSAGE in outcome.messages[0]


def test_a_probe_that_lacks_a_right_says_so(monkeypatch):
    def probe(state):
        raise RightMissing("read Namespace harbor: forbidden")

    monkeypatch.setitem(needs._PROBES, "disruption", probe)
    assert needs.reason_of(SimpleNamespace(stash={}), "disruption", state=object()) == (
        "read Namespace harbor: forbidden"
    )


class Partly(Cluster):
    """Lets nobody list ReplicationControllers."""

    def list_namespaced_replication_controller(self, namespace):
        raise RightMissing("list ReplicationControllers in harbor: 403")


def test_a_kind_of_workload_that_may_not_be_listed_is_told_and_not_needed():
    found = discover(Partly(deployments=newer()), "harbor")
    assert found.profile.name == "harbor-2"
    assert [str(missing) for missing in found.hidden] == ["list ReplicationControllers in harbor: 403"]


def test_where_no_harbor_is_seen_the_missing_right_is_what_is_told():
    with pytest.raises(RightMissing, match="list ReplicationControllers"):
        discover(Partly(), "harbor")
