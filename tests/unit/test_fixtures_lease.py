"""One run at a time a namespace."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import lease
from harbor_verify.errors import CannotTell, NamespaceBusy, TargetUnreachable
from harbor_verify.lease import NamespaceLease, seconds_left


class FakeLeases:
    """The API of Leases, with the one Lease that there is, and optimistic locking as the real one has it."""

    api_client = SimpleNamespace(close=lambda: None)

    def __init__(self):
        self.present, self.version, self.denied = None, 0, False

    def create_namespaced_lease(self, namespace, body):
        self._answer(403 if self.denied else 409 if self.present else None)
        self._store(body)

    def read_namespaced_lease(self, name, namespace):
        self._answer(503 if self.denied else None if self.present else 404)
        kept = self.present
        meta = client.V1ObjectMeta(resource_version=kept.metadata.resource_version, uid=kept.metadata.uid)
        return client.V1Lease(metadata=meta, spec=client.V1LeaseSpec(**kept.spec.to_dict()))

    def replace_namespaced_lease(self, name, namespace, body):
        self._answer(
            None if body.metadata.resource_version == self.present.metadata.resource_version else 409
        )
        self._store(body)

    def delete_namespaced_lease(self, name, namespace, body):
        self._answer(None if body.preconditions.uid == self.present.metadata.uid else 409)
        self.present = None

    def _store(self, body):
        self.version += 1
        self.present = body
        body.metadata.resource_version, body.metadata.uid = str(self.version), "uid"

    @staticmethod
    def _answer(status):
        if status:
            raise client.ApiException(status=status, reason="no")


@pytest.fixture
def api(monkeypatch):
    api = FakeLeases()
    monkeypatch.setattr(lease.client, "CoordinationV1Api", lambda _: api)
    return api


def lease_of(holder):
    @contextmanager
    def asking(what):
        try:
            yield
        except client.ApiException as refused:
            raise TargetUnreachable(f"{what}: {refused.status}") from refused

    kubernetes = SimpleNamespace(asking=asking, api_client=lambda: None)
    return NamespaceLease(kubernetes, "harbor", holder)


def test_a_lease_is_taken_and_given_back(api):
    mine = lease_of("me")
    mine.acquire()
    assert api.present.spec.holder_identity == "me"
    mine.require_held()
    mine.release()
    assert api.present is None


def test_a_second_run_is_told_who_holds_it_and_until_when(api):
    mine = lease_of("run A, process 7")
    mine.acquire()
    with pytest.raises(NamespaceBusy, match=r"run A, process 7.*is free in (29|30) s"):
        lease_of("run B").acquire()
    mine.release()


def test_what_a_killed_run_left_is_taken_over(api):
    killed = lease_of("killed")
    api.create_namespaced_lease("harbor", killed._mine())
    api.present.spec.renew_time -= timedelta(seconds=lease.DURATION_S + 1)
    mine = lease_of("me")
    mine.acquire()
    assert api.present.spec.holder_identity == "me"
    mine.release()


def test_it_is_renewed_while_the_run_lasts(api, monkeypatch):
    monkeypatch.setattr(lease, "DURATION_S", 0.2)
    mine = lease_of("me")
    mine.acquire()
    first = api.present.spec.renew_time
    mine._released.wait(0.3)
    mine.require_held()
    assert api.present.spec.renew_time > first
    mine.release()


@pytest.mark.parametrize(
    "event, told", [("taken", "thief took it"), ("deleted", "deleted"), ("silent", "503")]
)
def test_a_run_that_lost_it_goes_on_no_further(api, monkeypatch, event, told):
    monkeypatch.setattr(lease, "DURATION_S", 0.2)
    mine = lease_of("me")
    mine.acquire()
    if event == "taken":
        api.present.spec.holder_identity = "thief"
    elif event == "deleted":
        api.present = None
    else:
        api.denied = True
    mine._renewer.join(timeout=5)
    with pytest.raises(CannotTell, match=told):
        mine.require_held()
    api.denied = False
    mine.release()
    if event == "taken":
        assert api.present is not None, "what is another's is left alone"


def test_not_being_allowed_is_told(api):
    api.denied = True
    with pytest.raises(TargetUnreachable, match="403"):
        lease_of("me").acquire()


def test_a_lease_without_holder_or_time_is_free():
    now = datetime.now(UTC)
    assert seconds_left(client.V1LeaseSpec(holder_identity="", renew_time=now), now) == 0
    assert seconds_left(client.V1LeaseSpec(holder_identity="x"), now) == 0
    assert (
        seconds_left(client.V1LeaseSpec(holder_identity="x", renew_time=now, lease_duration_seconds=9), now)
        == 9
    )
