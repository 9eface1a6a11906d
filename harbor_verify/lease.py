"""One run at a time a namespace: a Lease, held while the run lasts, renewed, and free again when its holder died.

Source: Kubernetes API, coordination.k8s.io/v1 Lease.
"""

import threading
from datetime import UTC, datetime, timedelta

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import CannotTell, NamespaceBusy, TargetUnreachable

NAME = "harbor-verify"
DURATION_S = 30
_RENEWALS_PER_DURATION = 4


class NamespaceLease:
    """The right to verify a namespace."""

    def __init__(self, kubernetes: Kubernetes, namespace: str, holder: str) -> None:
        """`holder` is shown to whoever wants the namespace at the same time."""
        self._kubernetes, self._namespace, self._holder = kubernetes, namespace, holder
        self._api = client.CoordinationV1Api(kubernetes.api_client())
        self._released = threading.Event()
        self._lost = ""
        self._renewer = threading.Thread(target=self._renew_until_released, name="lease", daemon=True)

    def acquire(self) -> None:
        """Take the Lease, also one whose holder no longer renews it. Raises NamespaceBusy, TargetUnreachable."""
        with self._kubernetes.asking(f"take the Lease {self._namespace}/{NAME}"):
            try:
                self._api.create_namespaced_lease(self._namespace, self._mine())
            except client.ApiException as answer:
                if answer.status != 409:
                    raise
                self._take_over()
        self._renewer.start()

    def require_held(self) -> None:
        """Raises CannotTell when the Lease was lost: another run may be changing the same Harbor."""
        if self._lost:
            raise CannotTell(f"this run no longer holds the Lease {self._namespace}/{NAME}: {self._lost}")

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

    def _take_over(self) -> None:
        present = self._api.read_namespaced_lease(NAME, self._namespace)
        if left_s := seconds_left(present.spec, datetime.now(UTC)):
            raise NamespaceBusy(
                f"another run is verifying namespace {self._namespace}: {present.spec.holder_identity}. "
                f"Wait until it ends; if it was killed, its Lease {NAME} is free in {left_s:.0f} s."
            )
        mine = self._mine()
        mine.metadata.resource_version = present.metadata.resource_version
        try:
            self._api.replace_namespaced_lease(NAME, self._namespace, mine)
        except client.ApiException as answer:
            if answer.status == 409:
                raise NamespaceBusy(
                    f"another run was quicker to take namespace {self._namespace}"
                ) from answer
            raise

    def _renew_until_released(self) -> None:
        while not self._released.wait(DURATION_S / _RENEWALS_PER_DURATION) and not self._lost:
            try:
                self._renew()
            except TargetUnreachable as error:
                if datetime.now(UTC) - self._renewed > timedelta(seconds=DURATION_S):
                    self._lost = str(error)

    def _renew(self) -> None:
        with self._kubernetes.asking(f"renew the Lease {self._namespace}/{NAME}"):
            try:
                present = self._api.read_namespaced_lease(NAME, self._namespace)
            except client.ApiException as answer:
                if answer.status != 404:
                    raise
                self._lost = "somebody deleted it"
                return
            if present.spec.holder_identity != self._holder:
                self._lost = f"{present.spec.holder_identity} took it"
                return
            present.spec.renew_time = self._renewed = datetime.now(UTC)
            self._api.replace_namespaced_lease(NAME, self._namespace, present)

    def _mine(self) -> client.V1Lease:
        self._renewed = datetime.now(UTC)
        return client.V1Lease(
            metadata=client.V1ObjectMeta(name=NAME, labels={"app.kubernetes.io/managed-by": "harbor-verify"}),
            spec=client.V1LeaseSpec(
                holder_identity=self._holder,
                lease_duration_seconds=DURATION_S,
                acquire_time=self._renewed,
                renew_time=self._renewed,
            ),
        )


def seconds_left(spec: client.V1LeaseSpec, now: datetime) -> float:
    """How long a Lease still binds; 0 when it is free. Clocks of holder and asker are taken to agree."""
    if not spec.holder_identity or not spec.renew_time:
        return 0.0
    ends = spec.renew_time + timedelta(seconds=spec.lease_duration_seconds or DURATION_S)
    return max(0.0, (ends - now).total_seconds())
