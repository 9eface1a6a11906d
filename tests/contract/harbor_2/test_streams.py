"""Blobs go through core in both directions without lying in its memory."""

import hashlib
import http.client
import socket
import time
from pathlib import Path

from tests.contract.harbor_2 import exchanges
from tests.contract.programs import HOST

_PIECE = bytes(range(256)) * 4096
_PIECES = 192
_SIZE = len(_PIECE) * _PIECES
_LEAST_BYTES_A_S = 20 * 1024 * 1024
_MOST_KIB = 40 * 1024


def test_a_large_blob_comes_and_goes_fast_and_in_little_memory(client, stack):
    digest = hashlib.sha256()
    for _ in range(_PIECES):
        digest.update(_PIECE)
    name = f"sha256:{digest.hexdigest()}"
    before_kib = _peak_kib(stack)
    _, headers, _, _ = client.request("core-a", "POST", "/v2/library/large/blobs/uploads/", _headers())
    location = dict(headers)["Location"]

    begun_s = time.monotonic()
    sent = (_PIECE for _ in range(_PIECES))
    status, answer, _ = _send(stack, "PATCH", _target(location), sent, {"Content-Length": str(_SIZE)})
    up_s = time.monotonic() - begun_s
    assert status == 202
    status, _, text = _send(
        stack, "PUT", f"{_target(answer['Location'])}&digest={name}", (), {"Content-Length": "0"}
    )
    assert status == 201, text

    begun_s = time.monotonic()
    connection = http.client.HTTPConnection(HOST, stack["core-a"].port, timeout=60)
    connection.request("GET", f"/v2/library/large/blobs/{name}", headers=_headers())
    response, received = connection.getresponse(), hashlib.sha256()
    while piece := response.read(1024 * 1024):
        received.update(piece)
    connection.close()
    down_s = time.monotonic() - begun_s

    assert received.hexdigest() == digest.hexdigest()
    assert client.api("GET", "/quotas?reference=project&reference_id=1")[2][0]["used"]["storage"] >= _SIZE
    assert _SIZE / up_s > _LEAST_BYTES_A_S
    assert _SIZE / down_s > _LEAST_BYTES_A_S
    assert _peak_kib(stack) - before_kib < _MOST_KIB


def test_a_body_in_chunks_goes_through(client, stack):
    _, headers, _, _ = client.request("core-a", "POST", "/v2/library/large/blobs/uploads/", _headers())
    pieces, content = [b"first, ", b"second, ", b"third"], b"first, second, third"
    name = f"sha256:{hashlib.sha256(content).hexdigest()}"
    target = f"{_target(dict(headers)['Location'])}&digest={name}"
    status, answer, text = _send(stack, "PUT", target, iter(pieces), {"Transfer-Encoding": "chunked"})
    assert (status, answer.get("Docker-Content-Digest")) == (201, name), text
    got = client.request("core-b", "GET", f"/v2/library/large/blobs/{name}", _headers())
    assert got[2] == content


def test_a_body_that_nobody_wants_does_not_spoil_the_connection(client, stack):
    connection = http.client.HTTPConnection(HOST, stack["core-a"].port, timeout=20)
    for _ in range(2):
        connection.request("PUT", "/v2/library/x/manifests/1", b"x" * 100_000)
        response = connection.getresponse()
        response.read()
        assert response.status == 401
    connection.close()


def test_a_large_body_that_nobody_wants_does_not_hide_the_answer(client, stack):
    with socket.create_connection((HOST, stack["core-a"].port), timeout=20) as connection:
        head = f"PATCH /v2/library/x/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(_PIECE) * 4}\r\n\r\n"
        connection.sendall(head.encode() + _PIECE)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401 ")


def _headers() -> dict[str, str]:
    return {"Authorization": exchanges.credentials("admin"), "Content-Type": "application/octet-stream"}


def _target(location: str) -> str:
    return location[location.index("/v2/") :]


def _send(stack, method, target, pieces, headers):
    connection = http.client.HTTPConnection(HOST, stack["core-a"].port, timeout=60)
    try:
        chunked = "Transfer-Encoding" in headers
        connection.request(method, target, pieces, _headers() | headers, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def _peak_kib(stack) -> int:
    status = Path(f"/proc/{stack['core-a'].process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
