"""What somebody else does, while clients are at work: nothing is broken from here, an upgrade is watched."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.base import Disruption
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.model.discovery import Deployment
from harbor_verify.waiting import NotYet, wait_until

_LOOKS_EVERY_S = 0.5


class Elsewhere(Disruption):
    """Lasts for `for_s` seconds, or until `over` is set.

    Proof: a pod of Harbor's is another than at the beginning. Healed: every rollout is complete, every replica Ready.
    """

    def __init__(
        self,
        recorder: Recorder,
        deployment: Deployment,
        *,
        for_s: float,
        converge_timeout_s: float,
        over: threading.Event,
    ) -> None:
        super().__init__(recorder, "upgrade")
        self._deployment, self._for_s, self._timeout_s, self._over = (
            deployment,
            for_s,
            converge_timeout_s,
            over,
        )
        self._before: dict[str, str] = {}

    def prepare(self) -> Mapping[str, Any]:
        self._before = self._pods()
        return {"workload": ""}

    def inject(self) -> None:
        """Somebody else does it."""

    def confirm(self) -> Mapping[str, Any]:
        ends_s = time.monotonic() + self._for_s

        def over() -> None:
            if not self._over.is_set() and time.monotonic() < ends_s:
                raise NotYet("it goes on")

        wait_until(
            "it is over", over, deadline="--during", timeout_s=self._for_s + 60, interval_s=_LOOKS_EVERY_S
        )
        now = self._pods()
        replaced = sorted({part for uid, part in self._before.items() if uid not in now})
        if not replaced:
            raise CannotTell(
                "no pod of Harbor's was replaced meanwhile: there was nothing that clients could notice"
            )
        return {"replaced": replaced}

    def restore(self) -> None:
        def whole() -> None:
            for role, rollout in self._deployment.rollouts().items():
                if not rollout.is_complete:
                    raise NotYet(f"the rollout of {role} is not over")
            for role, workload in self._deployment.workloads.items():
                ready = sum(replica.ready for replica in self._deployment.replicas(role))
                if ready < workload.desired:
                    raise NotYet(f"{ready} of {workload.desired} replicas of {workload.object} are Ready")

        wait_until(
            "every rollout is over, and every replica Ready",
            whole,
            deadline="converge_timeout_s",
            timeout_s=self._timeout_s,
            interval_s=_LOOKS_EVERY_S,
        )

    def release(self) -> None:
        """Nothing was taken."""

    def _pods(self) -> dict[str, str]:
        """The part that a pod plays, by its UID."""
        parts = self._deployment.workloads
        return {replica.uid: str(role) for role in parts for replica in self._deployment.replicas(role)}
