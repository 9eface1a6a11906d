"""One run at a time a namespace: a Lease, held while the run lasts, renewed, and free again when its holder died.

Whether its holder lives is judged by change, on one's own clock: who wants it looks at it for as long as it says that
it binds, and whoever renews it within that time is alive. No clock is compared with another. The holder itself stops
before others may begin.

Source: Kubernetes API, coordination.k8s.io/v1 Lease; the leader election of client-go.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import LeaseLost, NamespaceBusy, TargetUnreachable
from harbor_verify.waiting import NotYet, wait_until

NAME = "harbor-verify"
DURATION_S = 45
"""So long others wait from the last change that they saw."""
GIVE_UP_S = 30
"""Who could not renew it for so long no longer acts under it; a renewal under way then ends before DURATION_S."""
RENEW_EVERY_S = 5
_TIMEOUTS_S = (3.0, 4.0)
"""(connect, read) of one request; a renewal makes two."""
_LOOK_EVERY_S = 0.5


class NamespaceLease:
    """The right to change things in a namespace."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        namespace: str,
        holder: str,
        *,
        on_lost: Callable[[str], object] = lambda reason: None,
    ) -> None:
        """`holder` is shown to whoever wants the namespace at the same time; it is unlike any other.

        `on_lost` is called once, from a thread of the Lease's own, with a sentence that says how it was lost.
        """
        self._kubernetes, self._namespace, self._holder = kubernetes, namespace, holder
        own = kubernetes.api_client()
        own.timeouts_s = _TIMEOUTS_S
        self._api = client.CoordinationV1Api(own)
        self._on_lost = on_lost
        self._released = threading.Event()
        self._lost = self._error = ""
        self._renewed_s = 0.0
        self._renewer = threading.Thread(target=self._renew_until_released, name="lease", daemon=True)

    def acquire(self, *, seize: bool = False, tell: Callable[[str], object] = lambda text: None) -> None:
        """Take the Lease: one that is free at once, one that is held when it has not changed for as long as it binds.

        `seize`: also one whose holder is alive. `tell` says what is waited for. Raises NamespaceBusy (its holder is
        alive), TargetUnreachable.
        """
        with self._kubernetes.asking(f"take the Lease {self._namespace}/{NAME}"):
            present = self._create()
            if present is not None and not seize and present.spec.holder_identity:
                tell(
                    f"{present.spec.holder_identity} holds the Lease {self._namespace}/{NAME}: looking for "
                    f"{_binds_s(present):g} s at most whether it is alive"
                )
                present = self._await_expiry(present) or self._create_free()
            if present is not None and not self._replace(present):
                raise NamespaceBusy(self._another_was_quicker)
        self._renewer.start()

    def require_held(self) -> None:
        """Raises LeaseLost when it is no longer ours, as far as is known without asking."""
        if reason := self._why_lost():
            raise LeaseLost(reason)

    def require_mine(self) -> None:
        """The same, after asking. Raises LeaseLost, TargetUnreachable."""
        with self._kubernetes.asking(f"read the Lease {self._namespace}/{NAME}"):
            self._read_mine()
        self.require_held()

    def release(self) -> None:
        """Give the Lease back; that it is another's by now is well. Raises TargetUnreachable."""
        self._released.set()
        if self._renewer.is_alive():
            self._renewer.join()
        with self._kubernetes.asking(f"give back the Lease {self._namespace}/{NAME}"):
            try:
                present = self._api.read_namespaced_lease(NAME, self._namespace)
                if present.spec.holder_identity == self._holder:
                    same = client.V1Preconditions(uid=present.metadata.uid)
                    self._api.delete_namespaced_lease(
                        NAME, self._namespace, body=client.V1DeleteOptions(preconditions=same)
                    )
            except client.ApiException as answer:
                if answer.status not in (404, 409):
                    raise
        self._api.api_client.close()

    @property
    def _another_was_quicker(self) -> str:
        return f"another run was quicker to take namespace {self._namespace}"

    def _create_free(self) -> Any:
        """None when it is ours; else the free one that is there. Raises NamespaceBusy."""
        present = self._create()
        if present is not None and present.spec.holder_identity:
            raise NamespaceBusy(self._another_was_quicker)
        return present

    def _create(self) -> Any:
        """None when it is ours; else the one that is there."""
        for _ in range(3):
            sent_s = time.monotonic()
            try:
                self._api.create_namespaced_lease(self._namespace, self._mine())
                self._renewed_s = sent_s
                return None
            except client.ApiException as answer:
                if answer.status != 409:
                    raise
            try:
                return self._api.read_namespaced_lease(NAME, self._namespace)
            except client.ApiException as answer:
                if answer.status != 404:
                    raise
        raise NamespaceBusy(f"others take and give back namespace {self._namespace} all the time")

    def _replace(self, present: client.V1Lease) -> bool:
        """Whether nobody else changed it meanwhile."""
        mine = self._mine()
        mine.metadata.resource_version = present.metadata.resource_version
        sent_s = time.monotonic()
        try:
            self._api.replace_namespaced_lease(NAME, self._namespace, mine)
        except client.ApiException as answer:
            if answer.status in (404, 409):
                return False
            raise
        self._renewed_s = sent_s
        return True

    def _await_expiry(self, first: client.V1Lease) -> Any:
        """The Lease as it is when it may be taken; None when it is gone. Raises NamespaceBusy."""
        since_s, binds_s = time.monotonic(), _binds_s(first)

        def expired() -> Any:
            try:
                now = self._api.read_namespaced_lease(NAME, self._namespace)
            except client.ApiException as answer:
                if answer.status == 404:
                    return None
                raise
            if not now.spec.holder_identity:
                return now
            if now.metadata.resource_version != first.metadata.resource_version:
                raise NamespaceBusy(
                    f"another run is verifying namespace {self._namespace}, and is alive: "
                    f"{now.spec.holder_identity}. Wait until it ends."
                )
            if time.monotonic() - since_s < binds_s:
                raise NotYet("its holder may be alive")
            return now

        return wait_until(
            f"the Lease {self._namespace}/{NAME} has run out",
            expired,
            deadline="leaseDurationSeconds",
            timeout_s=binds_s + GIVE_UP_S,
            interval_s=min(_LOOK_EVERY_S, binds_s / 4),
        )

    def _renew_until_released(self) -> None:
        while not self._released.wait(RENEW_EVERY_S):
            try:
                self._renew()
            except TargetUnreachable as error:
                self._error = str(error)
            if reason := self._why_lost():
                self._lost = reason
                self._on_lost(reason)
                return

    def _renew(self) -> None:
        with self._kubernetes.asking(f"renew the Lease {self._namespace}/{NAME}"):
            sent_s = time.monotonic()
            present = self._read_mine()
            if present is None:
                return
            present.spec.renew_time = datetime.now(UTC)
            try:
                self._api.replace_namespaced_lease(NAME, self._namespace, present)
            except client.ApiException as answer:
                if answer.status not in (404, 409):
                    raise
                # Somebody else was quicker: who that was the next look says.
                self._read_mine()
                return
            self._renewed_s = sent_s

    def _read_mine(self) -> Any:
        """The Lease, or None when it is no longer ours, which is then known."""
        try:
            present = self._api.read_namespaced_lease(NAME, self._namespace)
        except client.ApiException as answer:
            if answer.status != 404:
                raise
            self._lost = self._lost or self._told("somebody deleted it")
            return None
        if present.spec.holder_identity != self._holder:
            self._lost = self._lost or self._told(f"{present.spec.holder_identity or 'nobody'} has it now")
            return None
        return present

    def _why_lost(self) -> str:
        """As a sentence; empty while it is held."""
        unrenewed_s = time.monotonic() - self._renewed_s
        if not self._lost and unrenewed_s > GIVE_UP_S:
            why = f": {self._error}" if self._error else ""
            self._lost = self._told(f"it could not be renewed for {unrenewed_s:.0f} s{why}")
        return self._lost

    def _told(self, how: str) -> str:
        return f"the Lease {self._namespace}/{NAME} was lost: {how}"

    def _mine(self) -> client.V1Lease:
        now = datetime.now(UTC)
        return client.V1Lease(
            metadata=client.V1ObjectMeta(name=NAME, labels={"app.kubernetes.io/managed-by": "harbor-verify"}),
            spec=client.V1LeaseSpec(
                holder_identity=self._holder,
                lease_duration_seconds=DURATION_S,
                acquire_time=now,
                renew_time=now,
            ),
        )


def _binds_s(lease: client.V1Lease) -> float:
    return float(lease.spec.lease_duration_seconds or DURATION_S)
