"""What a kubelet says of a pull, in words that are the same for every pull that fails alike."""

import pytest

from harbor_verify.pull_pods import Pulled
from suites.registry import test_kubelet

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
