"""The API server's side of exec and port-forward: a WebSocket that leads to a port of the loopback."""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE, _PING = 2, 8, 9
Address = tuple[str, int]


def accept(handler: BaseHTTPRequestHandler) -> None:
    """Answer 101. Source: RFC 6455."""
    key = handler.headers["Sec-WebSocket-Key"] + _MAGIC
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header(
        "Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    )
    handler.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
    handler.end_headers()
    handler.close_connection = True


def forward(handler: BaseHTTPRequestHandler, port: int, address: Address) -> None:
    """A port-forward to `port` of a pod that is really `address`, until either side ends."""
    accept(handler)
    for channel in (0, 1):
        _send(handler, bytes([channel]) + struct.pack("<H", port))
    with socket.create_connection(address) as pod:
        back = threading.Thread(target=_carry_back, args=(handler, pod), daemon=True)
        back.start()
        with suppress(OSError):
            for data in _messages(handler):
                pod.sendall(data[1:])
        with suppress(OSError):
            pod.shutdown(socket.SHUT_RDWR)
        back.join()


def run(handler: BaseHTTPRequestHandler, printed: str, complaint: str = "") -> None:
    """A command that prints, and ends well where it has no complaint."""
    accept(handler)
    status = {"status": "Failure", "message": complaint} if complaint else {"status": "Success"}
    _send(handler, b"\x01" + printed.encode())
    _send(handler, b"\x03" + json.dumps(status).encode())


def _carry_back(handler: BaseHTTPRequestHandler, pod: socket.socket) -> None:
    with suppress(OSError):
        while data := pod.recv(16384):
            _send(handler, b"\x00" + data)
        _send(handler, b"", _CLOSE)


def _send(handler: BaseHTTPRequestHandler, data: bytes, opcode: int = _BINARY) -> None:
    short = len(data) < 126
    head = (
        struct.pack("!BB", 0x80 | opcode, len(data))
        if short
        else struct.pack("!BBH", 0x80 | opcode, 126, len(data))
    )
    handler.wfile.write(head + data)
    handler.wfile.flush()


def _messages(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """What the client sends, until it closes."""
    while head := handler.rfile.read(2):
        opcode, length = head[0] & 15, head[1] & 127
        if length == 126:
            (length,) = struct.unpack("!H", handler.rfile.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", handler.rfile.read(8))
        mask = handler.rfile.read(4)
        data = handler.rfile.read(length)
        clear = (int.from_bytes(data) ^ int.from_bytes((mask * (length // 4 + 1))[:length])).to_bytes(length)
        if opcode == _CLOSE:
            return
        if opcode != _PING:
            yield clear
