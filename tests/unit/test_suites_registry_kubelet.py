"""What a kubelet says of a pull, in words that are the same for every pull that fails alike."""

from types import SimpleNamespace

import pytest

from harbor_verify.errors import NeedMissing
from harbor_verify.pull_pods import Pulled
from suites.registry import test_kubelet
from tests.unit.running import blocked, examine, offenders_of

IMAGE = "h:80/p/busybox:run"


@pytest.mark.parametrize(
    "words, expected",
    [
        (f'Failed to pull image "{IMAGE}-3": 401', f'Failed to pull image "{IMAGE}": 401'),
        (
            "GET http://h:80/v2/p/busybox/manifests/run-3: 500",
            "GET http://h:80/v2/p/busybox/manifests/run: 500",
        ),
        ("reading manifest run-3 in h:80/p/busybox", "reading manifest run in h:80/p/busybox"),
        (f"no end after 60 s; last: Pulling {IMAGE}-3.", f"no end after 60 s; last: Pulling {IMAGE}."),
        ("read tcp 10.0.0.5:41234->10.0.0.9:443: reset", "read tcp 10.0.0.9:443: reset"),
        ("read tcp [fd00::5]:41234->[fd00::9]:443: reset", "read tcp [fd00::9]:443: reset"),
    ],
)
def test_what_is_another_for_each_pull_is_left_out(words, expected):
    pulled = Pulled("harbor-verify-run-3", "node-1", f"{IMAGE}-3", error_message=words)
    assert test_kubelet._of_any_pod(pulled, IMAGE) == expected


@pytest.mark.parametrize("words", ["dial tcp 10.0.0.9:443: refused", "run-30", "harbor-verify-run-3", ""])
def test_anything_else_is_told_as_it_is(words):
    pulled = Pulled("harbor-verify-run-3", "node-1", f"{IMAGE}-3", error_message=words)
    assert test_kubelet._of_any_pod(pulled, IMAGE) == words


UNTRUSTED = "x509: certificate signed by unknown authority"


def pulls(monkeypatch, becomes):
    """Two nodes, and what becomes of each pull, by the node's name."""

    def run_on_each(target, nodes, images, credentials, *, run_id):
        return [Pulled(f"pod-{node}", node, image, **becomes[node]) for node in nodes for image in images]

    monkeypatch.setattr(test_kubelet.pull_pods, "nodes_to_pull_on", lambda target: (sorted(becomes), ""))
    monkeypatch.setattr(test_kubelet.pull_pods, "run_on_each", run_on_each)
    harbor = SimpleNamespace(
        namespace="harbor",
        registry_host="h:80",
        credentials=None,
        user=None,
        client=None,
        replicas=lambda role: [None, None],
    )
    docker = SimpleNamespace(tag=lambda *_: None, push=lambda *_: None, remove=lambda *_: None)
    image = SimpleNamespace(reference=IMAGE, message="hello")
    return harbor, docker, image, "r1", lambda text: None, blocked


def test_a_node_that_is_not_set_up_for_the_registry_blocks_and_is_not_harbors_failure(monkeypatch):
    becomes = {"node-1": {"error_message": UNTRUSTED}, "node-2": {"printed": "hello"}}
    with pytest.raises(NeedMissing, match=f"not set up for h:80: node-1: {UNTRUSTED}"):
        examine(
            test_kubelet.test_every_node_pulls_a_private_image_with_a_pull_secret,
            *pulls(monkeypatch, becomes),
        )


def test_beside_such_a_node_what_is_harbors_is_still_red(monkeypatch):
    becomes = {"node-1": {"error_message": UNTRUSTED}, "node-2": {"error_message": "401 Unauthorized"}}
    check = test_kubelet.test_every_node_pulls_a_private_image_with_a_pull_secret
    assert {o.observed for o in offenders_of(check, *pulls(monkeypatch, becomes))} == {"401 Unauthorized"}
