"""Runs while all around them breaks: right verdicts or a clear *could not find out*, in bounded time, and a report."""

import errno
import json
import socket
import time
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

import pytest

from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.kubernetes import connect
from harbor_verify.clients.pod_channel import open_channel
from harbor_verify.errors import NoAnswer, TargetUnreachable
from tests.unit import port_forwards
from tests.unit.local_server import LocalServer, QuietHandler
from tests.unit.whole_runs import kubeconfig_of, place_of, reference

LOGIN, SESSIONS = "access.login-accepts-right-password", "sessions.known-to-every-replica"
SUITES = ("access/test_login.py", "sessions/test_shared_sessions.py")


class Harbor(QuietHandler):
    """One that is well: users sign in, and their sessions are known."""

    protocol_version = "HTTP/1.1"
    ahead_s = 0

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.server.ahead_s)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = self.path.partition("?")[0].removeprefix("/api/v2.0")
        status, answer = 200, ""
        user = parse_qs(body).get("principal", [""])[0]
        cookie = self.headers.get("Cookie", "").partition("sid=")[2].partition(";")[0]
        if path == "/systeminfo":
            answer = {"harbor_version": "v2.12.0", "auth_mode": "db_auth"}
        elif path == "/users/current":
            answer = {"username": cookie or "admin"}
        elif path == "/projects":
            answer = [{"name": "library", "project_id": 1, "creation_time": "2026"}]
        elif path == "/users/search":
            answer = []
        elif path == "/users":
            status = 201
        data = json.dumps(answer).encode()
        self.send_response(status)
        if path == "/c/login":
            self.send_header("Set-Cookie", f"sid={user or 'nobody'}; Path=/")
        self.send_header("X-Harbor-CSRF-Token", "a-token")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = handle_any


class V6(LocalServer):
    address_family = socket.AF_INET6


@contextmanager
def harbor_in(folder, text="", *, host="127.0.0.1", ahead_s=0):
    server = (V6 if ":" in host else LocalServer)((host, 0), Harbor)
    server.ahead_s = ahead_s
    with (
        server.running(),
        place_of(folder, (host, server.server_port), f"{reference()}\n---\n{text}") as place,
    ):
        place.suites, place.ahead_s = SUITES, ahead_s
        yield place


@contextmanager
def recording_proxy():
    """(its URL, the first lines of what came to it); it answers 502."""
    asked = []

    class Proxy(QuietHandler):
        def handle_any(self):
            asked.append(f"{self.command} {self.path}")
            self.send_error(502)

        do_GET = do_POST = do_CONNECT = do_DELETE = do_PUT = do_PATCH = handle_any

    with LocalServer(("127.0.0.1", 0), Proxy).running() as server:
        yield server.url, asked


def plugin(folder):
    """An exec plugin that gives a token."""
    told = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "t"},
    }
    program = folder / "plugin"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    program.chmod(0o755)
    return {"exec": {"apiVersion": told["apiVersion"], "command": str(program), "interactiveMode": "Never"}}


def has_ipv6():
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def foreign_pods(count):
    """A workload of somebody else's, with labels like Harbor's but one."""
    labels = {"app": "harbor", "release": "another", "component": "core"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "core", "image": "another:1"}]},
    }
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
    return json.dumps({"kind": "Deployment", "metadata": {"name": "another-core"}, "spec": spec})


def test_among_500_foreign_pods_with_a_plugin_ipv6_a_proxy_and_a_clock_that_is_off_all_is_found_well(
    tmp_path,
):
    host = "::1" if has_ipv6() else "127.0.0.1"
    with (
        recording_proxy() as (proxy, asked),
        harbor_in(tmp_path, foreign_pods(500), host=host, ahead_s=5 * 3600) as place,
    ):
        place.user = plugin(tmp_path)
        code, output = place.run(HTTP_PROXY=proxy, HTTPS_PROXY=proxy, http_proxy=proxy, https_proxy=proxy)
        assert code == 0, output
        assert place.verdicts() == {LOGIN: "pass", SESSIONS: "pass"}
        assert asked == [], "the loopback is asked directly, cluster and Harbor alike"
        told = "\n".join(place.report()["target"]["found"])
        assert "this machine's clock is 5.0 h behind the API server's and the front door's" in told
        assert "web: Deployment harbor-core, 3 of 3 Ready" in told
        assert place.objects.there == {}, "user, Lease and ledger are gone"


def drop(handler):
    """As a server that ends: the connection is closed, and nothing said."""
    handler.close_connection = True


def test_an_api_server_that_restarts_in_the_middle_costs_the_check_that_it_hits_its_verdict_and_no_more(
    tmp_path,
):
    with harbor_in(tmp_path) as place:
        down_from = []

        def restart(handler):
            down_from.append(time.monotonic())
            place.answers = {"/": away}
            drop(handler)

        def away(handler):
            drop(handler) if time.monotonic() < down_from[0] + 1 else back(handler)

        def back(handler):
            place.answers = {}
            handler.do_POST() if handler.command == "POST" else handler.do_GET()

        place.answers = {"harbor-core-1/portforward": restart}
        begun_s = time.monotonic()
        code, output = place.run("--check", LOGIN, "--check", SESSIONS)
        assert time.monotonic() - begun_s < 30
        assert down_from
        assert code == 1, output
        assert place.verdicts()[LOGIN] == "error"
        assert "fail" not in place.verdicts().values()
        assert place.report()["left_behind"] == []


def test_port_forwards_that_break_are_no_failure_of_harbors(tmp_path):
    """The way to the kubelet is away from then on: what is lost is lost on the way."""
    begun = []

    def broken(handler):
        if begun:
            drop(handler)
            return
        begun.append(handler)
        port_forwards.accept(handler)
        for channel in (b"\0", b"\1"):
            port_forwards.send(handler, channel + b"\x50\0")
        handler.rfile.read(16)
        handler.connection.shutdown(socket.SHUT_RDWR)

    with harbor_in(tmp_path) as place:
        place.answers = {"harbor-core-1/portforward": broken}
        code, output = place.run("--check", LOGIN)
        assert code == 1, output
        assert place.verdicts() == {LOGIN: "error"}
        assert "portforward" in place.report()["checks"][0]["message"]


def test_a_full_disk_leaves_the_verdicts_on_the_terminal_and_nothing_behind(tmp_path):
    with harbor_in(tmp_path) as place:
        place.most_bytes = 4096
        code, output = place.run()
        assert code == 0, "what was checked holds"
        assert "2 checks passed" in output
        assert f"[Errno {errno.EFBIG}]" in output
        assert "report.json" in output.partition("The report is incomplete")[2]
        assert {file.name for file in tmp_path.glob("reports/runs/*/*")} == {"summary.md", "junit.xml"}, (
            "no half a file"
        )
        assert place.objects.there == {}


def test_a_name_that_cannot_be_looked_up_for_a_moment_is_no_answer_and_then_is_one(tmp_path, monkeypatch):
    real, failing = socket.getaddrinfo, [True]

    def look_up(host, *more, **options):
        if host == "harbor.example" and failing:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1" if host == "harbor.example" else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    server = LocalServer(("127.0.0.1", 0), Harbor)
    server.ahead_s = 0
    url = f"http://harbor.example:{server.server_port}"
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig_of(url))
    with server.running(), HttpClient("front-door", url, timeouts_s=(1, 1)) as http:
        kubernetes = connect(file, None, timeouts_s=(1, 1))
        with pytest.raises(NoAnswer, match="Temporary failure in name resolution") as silence:
            http.get("/")
        assert not silence.value.sent
        with pytest.raises(TargetUnreachable, match="Temporary failure in name resolution"):
            kubernetes.ask("list pods", kubernetes.core.list_namespaced_pod, "harbor")
        with pytest.raises(TargetUnreachable, match="Temporary failure in name resolution"):
            open_channel(kubernetes, "harbor", "p", "portforward", [("ports", "80")])
        failing.clear()
        assert http.get("/").status_code == 200
        kubernetes.close()


@pytest.mark.parametrize(
    "server, excepted, goes",
    [
        ("http://k.example:1", "", True),
        ("http://k.example:1", ".other.example", True),
        ("http://k.example:1", ".example", False),
        ("http://k.example:1", "example", False),
        ("http://localhost:1", "", False),
        ("http://127.0.0.7:1", "", False),
        ("http://[::1]:1", "", False),
    ],
)
def test_requests_and_web_sockets_go_by_the_proxy_of_the_environment_or_both_do_not(
    tmp_path, monkeypatch, server, excepted, goes
):
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig_of(server))
    with recording_proxy() as (proxy, asked):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", excepted)
        kubernetes = connect(file, None, timeouts_s=(0.2, 0.2))
        for ask in (
            lambda: kubernetes.ask("list", kubernetes.core.list_namespaced_pod, "harbor"),
            lambda: open_channel(kubernetes, "harbor", "p", "portforward", [("ports", "80")]),
        ):
            with pytest.raises(TargetUnreachable):
                ask()
        kubernetes.close()
    assert len(asked) == (2 if goes else 0), asked


def test_a_proxy_for_https_is_none_for_http(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://of-https.example:3128")
    file = tmp_path / "kubeconfig"
    for scheme, proxy in (("http", "http://nobody.invalid:1"), ("https", "http://of-https.example:3128")):
        file.write_text(kubeconfig_of(f"{scheme}://k.example"))
        assert connect(file, None, timeouts_s=(1, 1)).configuration.proxy == proxy
