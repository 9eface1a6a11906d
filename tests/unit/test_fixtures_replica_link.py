"""A port-forward as a socket: whole HTTP exchanges over a WebSocket of a few lines."""

import json
import socket
import ssl
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
import websocket

from harbor_verify.clients import pod_channel, replica_link
from harbor_verify.clients.pod_channel import CommandInPodFailed, PodGone, run_in_pod
from harbor_verify.clients.replica_link import open_link
from harbor_verify.errors import NoAnswer, ProgramMissing, TargetUnreachable
from tests.unit.certificates import new_certificate

BINARY, CLOSE = websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_CLOSE
PORTS = [b"\x00\x50\x00", b"\x01\x50\x00"]
KUBERNETES = SimpleNamespace(inside=False, server="https://fake", timeouts_s=(1, 1))


class FakeChannel:
    """Gives what it was filled with; an exception among it is raised, and afterwards the other side is silent."""

    def __init__(self, *messages):
        self.messages, self.sent, self.shut = list(messages), b"", False

    def recv_data(self):
        message = self.messages.pop(0) if self.messages else websocket.WebSocketTimeoutException("late")
        if isinstance(message, Exception):
            raise message
        return (CLOSE, b"") if message is None else (BINARY, message)

    def recv(self):
        return self.recv_data()[1]

    def send_binary(self, data):
        assert data[:1] == b"\x00"
        self.sent += data[1:]

    def settimeout(self, timeout_s):
        pass

    def close(self, **_):
        self.shut = True

    shutdown = close

    def fileno(self):
        return -1


def answer(body, *, more=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


@pytest.fixture
def link(monkeypatch):
    """Returns a function: channels → a link whose connections use them, one after the other."""

    def linked(*channels):
        left = list(channels)

        def opened(*_):
            channel = left.pop(0)
            if isinstance(channel, Exception):
                raise channel
            return channel

        monkeypatch.setattr(replica_link, "open_channel", opened)
        monkeypatch.setattr("urllib3.connectionpool.is_connection_dropped", lambda _: False)
        return open_link(
            KUBERNETES, name="ui-0", namespace="harbor", pod="p", address=None, port=80, timeouts_s=(1, 1)
        )

    return linked


def test_an_exchange_goes_through_with_its_headers_in_whatever_pieces_it_comes(link):
    text = answer("hello")
    pieces = [b"\x00" + text[start : start + 7] for start in range(0, len(text), 7)]
    channel = FakeChannel(*PORTS, *pieces)
    with link(channel) as client:
        assert client.get("/x", auth=("a", "b")).text == "hello"
        assert b"GET /x HTTP/1.1" in channel.sent
        assert b"Authorization: Basic" in channel.sent
    assert channel.shut


def test_one_connection_serves_several_requests(link):
    channel = FakeChannel(*PORTS, b"\x00" + answer("1"), b"\x00" + answer("2"))
    with link(channel) as client:
        assert [client.get("/").text, client.get("/").text] == ["1", "2"]


def test_an_answer_that_ends_its_connection_is_read_to_its_end(link):
    text = answer("hello", more="Connection: close\r\n")
    first = FakeChannel(*PORTS, b"\x00" + text[:-2], b"\x00" + text[-2:], None)
    second = FakeChannel(*PORTS, b"\x00" + answer("again"))
    with link(first, second) as client:
        assert client.get("/").text == "hello"
        assert first.shut
        assert client.get("/").text == "again"


def test_a_body_that_is_left_half_read_ends_its_connection_and_the_next_request_has_another(link):
    text = answer("x" * 200_000)
    first = FakeChannel(
        *PORTS, *(b"\x00" + text[begin : begin + 30_000] for begin in range(0, 90_000, 30_000))
    )
    second = FakeChannel(*PORTS, b"\x00" + answer("again"))
    with link(first, second) as client:
        begun = client.get("/", stream=True)
        assert next(begun.iter_content(1000)) == b"x" * 1000
        begun.close()
        assert first.shut
        assert client.get("/").text == "again"


def test_a_body_of_unknown_length_is_sent_in_chunks(link):
    channel = FakeChannel(*PORTS, b"\x00" + answer("ok"))
    with link(channel) as client:
        assert client.request("PATCH", "/", data=iter([b"abc", b"defgh"])).text == "ok"
    assert channel.sent.endswith(b"\r\n\r\n3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n")


def test_a_large_body_is_sent_in_pieces_and_whole(link):
    channel = FakeChannel(*PORTS, b"\x00" + answer("ok"))
    body = bytes(range(256)) * 1000
    with link(channel) as client:
        assert client.request("PUT", "/blob", data=body).text == "ok"
    assert channel.sent.endswith(body)


@pytest.mark.parametrize(
    "messages, sent, told",
    [
        ([b"\x01dial tcp4: connection refused"], False, "nothing listens on port 80"),
        ([b"\x01pod sandbox is gone"], True, "pod sandbox is gone"),
        ([], True, "timed out"),
        ([None], True, "closed connection"),
    ],
)
def test_no_answer_says_why_and_whether_it_may_have_been_acted_on(link, messages, sent, told):
    with link(FakeChannel(*PORTS, *messages)) as client, pytest.raises(NoAnswer, match=told) as silence:
        client.get("/")
    assert silence.value.sent is sent


LOST = websocket.WebSocketConnectionClosedException("lost")


@pytest.mark.parametrize(
    "another, error",
    [
        (TargetUnreachable("no answer of the API server"), TargetUnreachable),
        (FakeChannel(LOST), TargetUnreachable),
        (FakeChannel(*PORTS), NoAnswer),
        (PodGone("pods p not found"), NoAnswer),
    ],
)
def test_a_port_forward_that_was_lost_says_something_about_the_pod_only_where_another_comes_about(
    link, another, error
):
    """A registry that ends an answer in the middle resets its connection, and the port-forward is lost with it."""
    with link(FakeChannel(*PORTS, LOST), another) as client, pytest.raises(error, match=r"lost|no answer"):
        client.get("/")


def test_a_port_forward_that_breaks_as_it_begins_says_nothing_about_harbor(link):
    with (
        link(FakeChannel(LOST)) as client,
        pytest.raises(TargetUnreachable, match=r"portforward to .* broke"),
    ):
        client.get("/")


def test_a_pod_that_is_gone_says_nothing_about_harbor(link):
    with link(PodGone("pods p not found")) as client, pytest.raises(PodGone, match="not found"):
        client.get("/")


def test_an_api_server_that_does_not_let_us_is_no_verdict_about_harbor(link):
    with link(TargetUnreachable("403")) as client, pytest.raises(TargetUnreachable):
        client.get("/")


def test_from_inside_the_cluster_the_address_of_the_pod_is_used():
    inside = SimpleNamespace(inside=True)
    with open_link(
        inside, name="ui-0", namespace="n", pod="p", address="198.18.1.9", port=80, timeouts_s=(1, 1)
    ) as client:
        assert client.base_url == "http://198.18.1.9:80"


@pytest.fixture
def tls_server(tmp_path):
    """The address of a server that speaks TLS and nothing else, with a certificate that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(new_certificate(tmp_path / "pod.pem", "harbor-core"))

    def serve(listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                while secured.recv(65536).endswith(b"\r\n\r\n"):
                    secured.sendall(answer("x" * 100_000))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


class BridgedChannel:
    """A port-forward to a real port."""

    def __init__(self, address):
        self._ports, self._socket = list(PORTS), socket.create_connection(address)

    def recv(self):
        return self._ports.pop(0)

    def recv_data(self):
        data = self._socket.recv(16384)
        return (BINARY, b"\x00" + data) if data else (CLOSE, b"")

    def send_binary(self, data):
        self._socket.sendall(data[1:])

    def settimeout(self, timeout_s):
        self._socket.settimeout(timeout_s)

    def gettimeout(self):
        return self._socket.gettimeout()

    def fileno(self):
        return self._socket.fileno()

    def shutdown(self):
        self._socket.close()


@pytest.mark.parametrize("inside", [False, True])
def test_tls_of_harbors_own_is_spoken_with_whatever_certificate(monkeypatch, tls_server, inside):
    host, port = tls_server
    opened = []

    def bridged(*_):
        opened.append(BridgedChannel(tls_server))
        return opened[-1]

    monkeypatch.setattr(replica_link, "open_channel", bridged)
    kubernetes = SimpleNamespace(inside=inside, server="https://fake", timeouts_s=(5, 5))
    with open_link(
        kubernetes,
        name="core-0",
        namespace="harbor",
        pod="p",
        address=host,
        port=port,
        tls=True,
        timeouts_s=(5, 5),
    ) as client:
        assert [len(client.get("/").text) for _ in range(2)] == [100_000] * 2
    assert len(opened) == (0 if inside else 1), "one connection serves several requests"


def test_where_tls_is_not_what_is_spoken_there_is_no_answer(monkeypatch):
    channel = FakeChannel(*PORTS, b"\x00HTTP/1.1 400 Bad Request\r\n\r\n")
    monkeypatch.setattr(replica_link, "open_channel", lambda *_: channel)
    with (
        open_link(
            KUBERNETES,
            name="ui-0",
            namespace="harbor",
            pod="p",
            address=None,
            port=80,
            tls=True,
            timeouts_s=(1, 1),
        ) as client,
        pytest.raises(NoAnswer, match="SSL"),
    ):
        client.get("/")
    assert channel.shut


def exec_with(monkeypatch, *messages):
    channel = FakeChannel(*messages)
    monkeypatch.setattr(pod_channel, "open_channel", lambda *_: channel)
    return run_in_pod(KUBERNETES, "harbor", "p", "app", ["cat", "/x"])


def status(**kwargs):
    return b"\x03" + json.dumps(kwargs).encode()


def test_a_command_gives_its_output(monkeypatch):
    assert (
        exec_with(monkeypatch, b"\x01a\x00", b"\x02warning", b"\x01b", status(status="Success")) == "a\x00b"
    )


@pytest.mark.parametrize(
    "messages, told",
    [
        ([b"\x02no such file", status(status="Failure", message="exit code 1")], "exit code 1 no such file"),
        ([b"\x01half", None], "without a status"),
        ([b"\x01half"], "did not end within 1 s"),
    ],
)
def test_a_command_that_fails_or_does_not_end_is_no_output(monkeypatch, messages, told):
    with pytest.raises(CommandInPodFailed, match=told):
        exec_with(monkeypatch, *messages)


@pytest.mark.parametrize(
    "said",
    [
        'OCI runtime exec failed: exec: "cat": executable file not found in $PATH: unknown',
        "executable file `cat` not found in $PATH: No such file or directory",
        "command terminated with exit code 127",
    ],
)
def test_a_container_without_the_program_is_told_apart_from_one_that_fails(monkeypatch, said):
    with pytest.raises(ProgramMissing, match="container app cannot run `cat`"):
        exec_with(monkeypatch, status(status="Failure", message=said))


def test_a_lost_connection_is_no_output_either(monkeypatch):
    with pytest.raises(TargetUnreachable, match="lost"):
        exec_with(monkeypatch, b"\x01half", websocket.WebSocketConnectionClosedException("lost"))


@pytest.mark.parametrize(
    "names, authority, told",
    [
        ({"harbor-core", "harbor-core.harbor.svc"}, "own", ""),
        ({"harbor-portal"}, "own", "its certificate is for harbor-core, not for harbor-portal"),
        ({"harbor-core"}, "other", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_inside_the_cluster_a_pod_is_known_by_harbors_own_authority_and_its_services_name(
    tls_server, tmp_path, names, authority, told
):
    """Whoever answers at a pod's address may be somebody else; nothing is sent to them."""
    host, port = tls_server
    file = tmp_path / "pod.pem" if authority == "own" else new_certificate(tmp_path / "o.pem", "harbor-core")
    trust = replica_link.Trust(file.read_text().partition("-----END PRIVATE KEY-----")[2], frozenset(names))
    inside = SimpleNamespace(inside=True)
    place = {"namespace": "n", "pod": "p", "address": host, "port": port, "tls": True, "timeouts_s": (5, 5)}
    with open_link(inside, name="core-0", **place, trust=trust) as client:
        if not told:
            assert client.get("/").text == "x" * 100_000
            return
        with pytest.raises(NoAnswer, match=told) as silence:
            client.get("/")
        assert not silence.value.sent
