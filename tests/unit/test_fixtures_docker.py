"""The image that is pushed, and whom a docker daemon's complaint is about."""

import io
import json
import tarfile
from contextlib import contextmanager

import pytest

from harbor_verify.clients import busybox, docker
from harbor_verify.clients.busybox import busybox_layer, message_layer
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import DockerDaemonFailed, DockerRefused, NeedMissing
from tests.unit.local_server import LocalServer, QuietHandler


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
        ("h:5000/p/busybox@sha256:aa", ("h:5000/p/busybox", "sha256:aa")),
        ("busybox:1.36@sha256:aa", ("busybox:1.36", "sha256:aa")),
    ],
)
def test_a_reference_is_split_at_its_tag_or_digest_not_at_a_port(reference, parts):
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


DIGEST = f"sha256:{'a' * 64}"
PUSHED = {"status": f"1: digest: {DIGEST} size: 424"}


class Daemon(QuietHandler):
    """As much of a docker daemon as a test needs: `answers` by the end of a path, a list for several lines."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, self.path, body))
        if path.endswith("/images/create"):
            self.server.answers["json"] = {"Id": "i"}
        answer = self.server.answers.get(path.rpartition("/")[2])
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in answer if isinstance(answer, list) else [answer or {"message": "no such image"}]:
            text = json.dumps(line).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.write(b"0\r\n\r\n")

    do_POST = do_PUT = do_DELETE = do_GET


@contextmanager
def daemon(**answers):
    """(client, what it has asked) of a daemon."""
    server = LocalServer(("127.0.0.1", 0), Daemon)
    server.answers = {"_ping": "OK", "version": {"ApiVersion": "1.43"}} | answers
    server.asked = []
    with server.running():
        client = docker.Docker(f"tcp://127.0.0.1:{server.server_port}", timeout_s=5)
        yield client, server.asked
        client.close()


@pytest.mark.parametrize(
    "events",
    [
        [PUSHED, {"aux": {"Tag": "1", "Digest": DIGEST, "Size": 424}}],
        # With the containerd image store: no `aux`, or one that is about something else.
        [{"status": "Pushed", "id": "layer"}, PUSHED],
        [PUSHED, {"aux": {"manifestPushedInsteadOfIndex": True}}],
    ],
)
def test_what_a_daemon_has_pushed_is_known_by_what_each_kind_of_daemon_says(events):
    with daemon(push=events) as (client, _):
        assert client.push("h:5000/p/busybox:1", Credentials("u", "p")) == DIGEST


def test_a_push_without_a_digest_is_not_the_registrys_refusal():
    with (
        daemon(push=[{"status": "Pushed", "id": "layer"}]) as (client, _),
        pytest.raises(DockerDaemonFailed, match="does not say with which digest"),
    ):
        client.push("h:5000/p/busybox:1", Credentials("u", "p"))


def test_a_login_is_with_what_was_given_whatever_helpers_this_machine_has(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"credsStore": "is-not-installed"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with daemon(auth={"Status": "Login Succeeded"}) as (client, asked):
        client.login("h:5000", Credentials("u", "p"))
    [login] = [json.loads(body) for _, path, body in asked if path.endswith("/auth")]
    assert (login["username"], login["password"], login["serveraddress"]) == ("u", "p", "h:5000")


@pytest.mark.parametrize("there", [True, False])
def test_what_had_to_be_pulled_to_make_an_image_is_removed_and_nothing_else(there):
    made = {"create": {"Id": "c"}, "archive": {}, "commit": {"Id": "i"}, "i": {}, "busybox@sha256:aa": []}
    with daemon(**made, **({"json": {"Id": "i"}} if there else {})) as (client, asked):
        client.extend_image("busybox@sha256:aa", message_layer("x"), "h:5000/p/busybox:1", run_id="run")
    pulls = [path for method, path, _ in asked if method == "POST" and "images/create" in path]
    removed = [path for method, path, _ in asked if method == "DELETE" and "images" in path]
    assert bool(pulls) is bool(removed) is not there
    assert all("tag=sha256%3Aaa" in path and "fromImage=busybox" in path for path in pulls)
    assert any("commit" in path for _, path, _ in asked)
