"""From inside the cluster a replica is asked at its address, or by port-forward where that is refused."""

from types import SimpleNamespace

import pytest

from harbor_verify import replica_links as module
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NoAnswer
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from harbor_verify.target import Target

REFUSED = NoAnswer("GET / at core-0: no answer (ConnectionResetError)", sent=True)
OF_A_MESH = "RBAC: access denied"


def replica(name, ready=True):
    workload = SimpleNamespace(role=Role.WEB, port=8080, tls=False)
    return SimpleNamespace(
        name=name, ready=ready, pod_name=name, address="10.0.0.9", uid=name, workload=workload
    )


def target(monkeypatch, *, direct, forwarded, may=True, inside=True, replicas=("core-0", "core-1", "core-2")):
    """What each way to a replica answers, or raises; and the ways that were tried."""
    tried = []

    def open_link(kubernetes, *, name, forward, **_):
        def get(path):
            tried.append((name, forward))
            answer = forwarded if forward else direct
            if isinstance(answer, Exception):
                raise answer
            return SimpleNamespace(text=answer)

        return SimpleNamespace(
            get=get, close=lambda: None, come_from=lambda url: None, uid="", forward=forward
        )

    monkeypatch.setattr(module, "open_link", open_link)
    kubernetes = SimpleNamespace(inside=inside, may_forward=lambda namespace: may)
    access = SimpleNamespace(
        kubernetes=kubernetes,
        namespace="harbor",
        url="http://h.example",
        credentials=Credentials("admin", "x"),
    )
    deployment = SimpleNamespace(
        replicas=lambda role: [replica(name) for name in replicas],
        profile=SimpleNamespace(registry_api=Role.WEB),
    )
    return Target(access, deployment, Settings()), tried


@pytest.mark.parametrize(
    "direct, forwarded, may, expected",
    [
        ("a page", "a page", True, False),
        # A mesh that takes nothing in clear, or a NetworkPolicy.
        (REFUSED, "a page", True, True),
        (OF_A_MESH, "a page", True, True),
        # Nobody is there: that is for the checks to say.
        (REFUSED, REFUSED, True, False),
        (REFUSED, "a page", False, False),
    ],
)
def test_what_refuses_this_pod_is_reached_by_port_forward(monkeypatch, direct, forwarded, may, expected):
    found, _ = target(monkeypatch, direct=direct, forwarded=forwarded, may=may)
    assert found.is_forwarded(Role.WEB) is expected
    assert found.new_link(replica("core-0")).forward is expected


def test_the_way_is_found_out_once_and_from_outside_never(monkeypatch):
    found, tried = target(monkeypatch, direct=REFUSED, forwarded="a page")
    assert found.is_forwarded(Role.WEB)
    assert tried == [("core-0", False), ("core-1", False), ("core-0", True)]
    assert found.is_forwarded(Role.WEB)
    assert len(tried) == 3
    outside, tried = target(monkeypatch, direct=REFUSED, forwarded="a page", inside=False)
    assert not outside.is_forwarded(Role.WEB)
    assert not tried


def test_where_nobody_is_there_now_it_is_asked_again_later(monkeypatch):
    found, tried = target(monkeypatch, direct=REFUSED, forwarded=REFUSED)
    found.is_forwarded(Role.WEB)
    before = len(tried)
    found.is_forwarded(Role.WEB)
    assert len(tried) > before
