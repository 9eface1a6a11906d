"""The image that is pushed, and whom a docker daemon's complaint is about."""

import io
import tarfile

import pytest

from harbor_verify.clients import busybox, docker
from harbor_verify.clients.busybox import busybox_layer, message_layer
from harbor_verify.errors import DockerDaemonFailed, DockerRefused, NeedMissing


def files(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar}, tar.extractfile("harbor-verify").read()


def test_the_layer_holds_a_static_busybox_and_what_it_will_print(monkeypatch, tmp_path):
    place = tmp_path / "busybox"
    place.write_bytes(b"\x7fELF, and no interpreter")
    monkeypatch.setattr(busybox, "PLACES", (tmp_path / "not there", place))
    members, message = files(busybox_layer("run 7"))
    assert members["bin/busybox"].mode == 0o755
    assert members["bin/cat"].linkname == "busybox"
    assert message == b"run 7\n"
    assert busybox_layer("run 7") != busybox_layer("run 8")


def test_a_given_image_only_gets_the_message():
    assert list(files(message_layer("x"))[0]) == ["harbor-verify"]


@pytest.mark.parametrize("content", [None, b"#!/bin/sh", b"\x7fELF" + b"/lib64/ld-linux-x86-64.so.2"])
def test_a_busybox_that_needs_libraries_is_none(monkeypatch, tmp_path, content):
    place = tmp_path / "busybox"
    if content:
        place.write_bytes(content)
    monkeypatch.setattr(busybox, "PLACES", (place,))
    with pytest.raises(NeedMissing, match="busybox-static"):
        busybox_layer("x")


@pytest.mark.parametrize(
    "reference, parts",
    [
        ("h:5000/p/busybox:1", ("h:5000/p/busybox", "1")),
        ("h:5000/p/busybox", ("h:5000/p/busybox", "latest")),
        ("busybox", ("busybox", "latest")),
        ("busybox:1.36", ("busybox", "1.36")),
    ],
)
def test_a_reference_is_split_at_its_tag_not_at_a_port(reference, parts):
    assert docker.split_reference(reference) == parts


@pytest.mark.parametrize(
    "message, kind",
    [
        ("http: server gave HTTP response to HTTPS client", DockerDaemonFailed),
        ("x509: certificate signed by unknown authority", DockerDaemonFailed),
        ("dial tcp: lookup h on 10.0.0.2:53: no such host", DockerDaemonFailed),
        ("download failed after attempts=6: dial tcp: lookup store.example: no such host", DockerRefused),
        ("unauthorized: authentication required", DockerRefused),
        ("received unexpected HTTP status: 500 Internal Server Error", DockerRefused),
    ],
)
def test_a_daemon_that_is_set_up_wrongly_is_not_harbors_fault(message, kind):
    with pytest.raises(kind, match="docker push"):
        list(docker._without_errors("docker push h:1/p:1", [{"status": "Preparing"}, {"error": message}]))


def test_a_daemon_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DockerDaemonFailed, match="docker daemon at unix://"):
        docker.Docker(f"unix://{tmp_path}/none.sock", timeout_s=1)
