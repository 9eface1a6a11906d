"""What somebody else does is proven by pods that are others; what clients saw of it is broken only where it is lost."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from harbor_verify.baseline import during
from harbor_verify.baseline.judgement import Level
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.disruptions.elsewhere import Elsewhere
from harbor_verify.errors import CannotTell, HealFailed
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Rollout
from harbor_verify.survival import Survival
from harbor_verify.verdict import Offender
from tests.unit.upgraded_harbor import running


class Deployment:
    def __init__(self):
        self.pods = ["a", "b"]
        self.rollout = Rollout(2, 2, 0)
        self.workloads = {Role.WEB: SimpleNamespace(desired=2, object="Deployment harbor/web")}

    def replicas(self, role):
        return [SimpleNamespace(uid=uid, ready=True) for uid in self.pods]

    def rollouts(self):
        return {Role.WEB: self.rollout}


def upgrade(deployment, recorder, over=None, for_s=0.1):
    over = over or threading.Event()
    return Elsewhere(recorder, deployment, for_s=for_s, converge_timeout_s=0.2, over=over)


def test_pods_that_are_others_are_its_proof_and_a_rollout_that_is_over_its_end():
    deployment, recorder, over = Deployment(), Recorder(), threading.Event()
    with upgrade(deployment, recorder, over, for_s=60):
        deployment.pods = ["b", "c"]
        over.set()
    (seen,) = recorder.history().disruptions()
    assert seen.proven.value["replaced"] == ["web"]
    assert seen.healed


def test_it_is_not_proven_where_every_pod_is_the_same():
    with (
        pytest.raises(CannotTell, match="no pod of Harbor's was replaced"),
        upgrade(Deployment(), Recorder()),
    ):
        pass


def test_a_rollout_that_goes_on_is_not_whole_again():
    deployment = Deployment()
    with pytest.raises(HealFailed, match="the rollout of web is not over"), upgrade(deployment, Recorder()):
        deployment.pods, deployment.rollout = ["b", "c"], Rollout(2, 1, 1)


def test_what_is_lost_is_broken_and_what_was_late_is_suspicious():
    offender = Offender("web-0", "is known", "401")
    survival = Survival(
        (
            Judgement("no-session-lost", (offender,), measured={"sessions_lost": 1}),
            Judgement("outage", (offender,), unknowns=("starved",)),
        ),
        error=CannotTell("unproven"),
    )
    assert [each.level for _, each in during.said(survival)] == [Level.BROKEN, Level.SUSPICIOUS]
    assert list(during.unknown(survival)) == [("outage", "starved"), ("upgrade", "unproven")]
    assert "sessions_lost 1" in during.figures(survival)


def test_what_clients_saw_goes_with_what_is_compared(monkeypatch, tmp_path, capsys):
    lost = Survival((Judgement("no-session-lost", (Offender("session 1", "is known", "401 everywhere"),)),))
    asked = {}

    def watch(target, folder, redaction, *, for_s, tell):
        asked.update(folder=folder, for_s=for_s)
        return lost, ["project verify-x: 500"]

    with running(monkeypatch, tmp_path) as harbor:
        assert harbor.run("save") == 0
        monkeypatch.setattr(during, "watch", watch)
        code, found = harbor.check(capsys, "--during=5")
    assert code == 1
    assert [(each["part"], each["thing"], each["level"]) for each in found["differences"]] == [
        ("clients", "session 1", "broken")
    ]
    assert [each["why"] for each in found["unknown"]] == ["could not be removed: project verify-x: 500"]
    assert asked == {"folder": Path("before.json.during"), "for_s": 5}
