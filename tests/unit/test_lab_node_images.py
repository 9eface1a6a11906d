"""A node that lost the file of a blob, and takes it for there, is given its images all the same."""

from types import SimpleNamespace

import pytest

from lab.deployment import images
from lab.errors import CommandFailed, LabError, NotReady

DIGEST = f"sha256:{'3' * 64}"


class Node:
    """containerd with these files lost; `stubborn`: it forgets none of them."""

    name = "node-2"

    def __init__(self, folder, *lost, stubborn=False):
        self.machine, self.lost, self.stubborn, self.asked = (
            SimpleNamespace(folder=folder),
            set(lost),
            stubborn,
            [],
        )

    def ctr(self, *words, timeout_s=60):
        self.asked.append(words)
        if words[:2] == ("content", "rm") and not self.stubborn:
            self.lost.discard(words[2])
        if words[0] == "images" and self.lost:
            raise CommandFailed(
                words,
                1,
                f"desc = blob {min(self.lost)} expected at /var/lib/{min(self.lost)}: blob not found",
            )


def test_what_is_lost_is_forgotten_and_imported_anew(tmp_path):
    node, archive = Node(tmp_path, DIGEST), tmp_path / "images-1a.tar"
    images.load(node, archive)
    assert [words[:2] for words in node.asked] == [
        ("images", "import"),
        ("content", "rm"),
        ("images", "import"),
    ]
    images.load(node, archive)
    assert len(node.asked) == 3, "the same archive is not imported again"


def test_what_stays_lost_is_told_with_what_containerd_said(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "wait_until", lambda what, probe, **_: _once(what, probe))
    with pytest.raises(NotReady, match=r"(?s)node-2 has the images.*blob not found"):
        images.load(Node(tmp_path, DIGEST, stubborn=True), tmp_path / "images-1a.tar")


def _once(what, probe):
    try:
        return probe()
    except CommandFailed as failed:
        raise NotReady(f"{what}: {failed}") from failed


def test_what_starts_in_an_image_is_known_of_the_stand_in_only():
    begins = images.entry_point("goharbor/harbor-jobservice:v2.15.2")
    assert begins == ["/harbor/standin/harbor_2/bin/harbor_jobservice", "-c", "/etc/jobservice/config.yml"]
    with pytest.raises(LabError, match=r"harbor-jobservice:v2\.14\.0 is not known"):
        images.entry_point("goharbor/harbor-jobservice:v2.14.0")
