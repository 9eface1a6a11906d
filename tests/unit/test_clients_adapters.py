"""How long a connection may take to be made, and how long what is sent and read over it."""

import socket
import threading

import pytest

from harbor_verify.clients.http import HttpClient
from harbor_verify.errors import NoAnswer

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
LARGE = 16 << 20
"""More than two sockets keep."""
CONNECT_S, REQUEST_S = 0.2, 20.0


def read(connection, size):
    while size > 0:
        size -= len(connection.recv(min(size, 1 << 20)))


@pytest.fixture
def busy():
    """The address of a server that reads nothing of a large body for longer than a connection may take."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listening.accept()
        with connection:
            for _ in range(2):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(1)
                threading.Event().wait(3 * CONNECT_S)
                read(connection, LARGE)
                connection.sendall(OK)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    thread.join(REQUEST_S)


def test_who_reads_nothing_for_a_while_is_waited_for_as_for_an_answer(busy):
    with HttpClient("front-door", busy, timeouts_s=(CONNECT_S, REQUEST_S)) as client:
        for _ in range(2):  # the second over the connection of the first
            assert client.request("PUT", "/", data=bytes(LARGE)).status_code == 201


def test_who_does_not_get_as_far_as_a_connection_is_not_waited_for_so_long():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        HttpClient(
            "front-door", f"https://127.0.0.1:{silent.getsockname()[1]}", timeouts_s=(CONNECT_S, 3600)
        ) as client,
        pytest.raises(NoAnswer, match="timed out"),
    ):
        client.get("/")
