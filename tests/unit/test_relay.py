"""A port of the loopback that leads to one replica: both ways, to the last byte, also where TLS is spoken beyond."""

import socket
import ssl
import threading
import time

import pytest

from harbor_verify.clients.relay import Relay
from tests.unit.certificates import new_certificate


@pytest.fixture
def echo():
    """A server on loopback that gives back what it is sent, in capitals."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1024):
                    connection.sendall(data.upper())

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()
    server.close()


def test_a_relay_leads_both_ways_until_one_side_ends(echo):
    relay = Relay(lambda: socket.create_connection(echo))
    host, port = relay.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as near:
        for word in (b"one", b"two"):
            near.sendall(word)
            assert near.recv(10) == word.upper()
        near.shutdown(socket.SHUT_WR)
        assert near.recv(10) == b""
    relay.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1)


def test_a_relay_to_nobody_ends_the_connection():
    def refuse():
        raise ConnectionRefusedError("nothing listens")

    relay = Relay(refuse)
    host, port = relay.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as near:
        assert near.recv(10) == b""
    assert relay.failure is None, "that is the replica's own answer"
    relay.close()


@pytest.mark.parametrize("failures", [1, 2])
def test_a_relay_tries_its_way_twice_and_then_says_why_there_was_none(echo, failures):
    errors = [ConnectionResetError("the API server hung up")] * failures

    def connect():
        if errors:
            raise errors.pop()
        return socket.create_connection(echo)

    relay = Relay(connect)
    host, port = relay.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as near:
        near.sendall(b"one")
        assert near.recv(10) == (b"ONE" if failures == 1 else b"")
    assert relay.failure == (None if failures == 1 else "the API server hung up")
    relay.close()


@pytest.fixture
def relayed(request):
    """Makes a client of a relay to a server, each connection to which is given to `serve`."""
    opened = []

    def make(serve, wrap=lambda plain: plain):
        server = socket.create_server(("127.0.0.1", 0))

        def accept():
            connection, _ = server.accept()
            with connection:
                serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        relay = Relay(lambda: wrap(socket.create_connection(server.getsockname())))
        host, port = relay.address.split(":")
        near = socket.create_connection((host, int(port)), timeout=10)
        opened.extend((near, relay, server))
        return near

    yield make
    for each in opened:
        each.close()


def received(near):
    return b"".join(iter(lambda: near.recv(1 << 16), b""))


def test_a_client_that_reads_slowly_gets_everything(relayed):
    whole = bytes(range(256)) * 2**15
    near = relayed(lambda connection: connection.sendall(whole))
    time.sleep(0.8)
    assert received(near) == whole


def test_a_server_that_reads_slowly_gets_everything(relayed):
    whole, got = bytes(range(256)) * 2**15, []

    def serve(connection):
        time.sleep(0.8)
        got.append(received(connection))

    near = relayed(serve)
    near.sendall(whole)
    near.shutdown(socket.SHUT_WR)
    assert near.recv(1) == b""
    deadline = time.monotonic() + 5
    while not got and time.monotonic() < deadline:
        time.sleep(0.01)
    assert got == [whole]


def test_beyond_tls_each_question_has_its_answer_and_what_tls_holds_back_is_not_waited_for(relayed, tmp_path):
    certificate = new_certificate(tmp_path / "server.pem", "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as secured:
            while asked := secured.recv(100):
                # Two pieces in one record: the second lies in TLS, and nothing comes by the network any more.
                secured.sendall(asked * 3000)

    trusting = ssl.create_default_context(cafile=certificate)
    near = relayed(serve, lambda plain: trusting.wrap_socket(plain, server_hostname="localhost"))
    for number in range(50):
        word = b"%04d" % number
        near.sendall(word)
        answer = b""
        while len(answer) < 12000:
            answer += near.recv(1 << 16)
        assert answer == word * 3000
