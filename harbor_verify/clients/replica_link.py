"""An HTTP session to exactly one pod, with its headers intact.

From outside the cluster its connections are port-forwards: the API server's own pod proxy would drop the
Authorization header. From inside they go to the pod's address, unless what is in between (a mesh that takes nothing
in clear, a NetworkPolicy) refuses that, and the caller says so.

With Harbor's internal TLS a pod's certificate names its Service and comes from an authority of Harbor's own. By
port-forward it is not checked: which pod this is we know from the API server. From inside the cluster it is, where the
authority is known (`Trust`), as whoever answers at an address may be somebody else.
"""

import io
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import websocket
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import Timeout
from urllib3.util.ssltransport import SSLTransport

from harbor_verify.clients.adapters import TimedConnection
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.clients.pod_channel import PodGone, open_channel
from harbor_verify.clients.relay import Connection
from harbor_verify.errors import TargetUnreachable
from harbor_verify.model.addresses import joined

_DATA, _ERROR = 0, 1
_MESSAGE_BYTES = 32 * 1024
_KEPT = 8
"""Connections that a link keeps open: so many threads may ask a replica at the same time (Findings.side_by_side)."""


@dataclass(frozen=True)
class Trust:
    """By what a pod is known at its address: a certificate of this authority (PEM), for any of these names."""

    authority: str
    names: frozenset[str]

    def wrap(self, plain: socket.socket) -> ssl.SSLSocket:
        """TLS upon a connection. Raises ssl.SSLError, an OSError, where it is somebody else's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # Any of several names will do: that is looked at below.
        context.load_verify_locations(cadata=self.authority)
        secured = context.wrap_socket(plain)
        shown: Any = (secured.getpeercert() or {}).get("subjectAltName", ())
        if not self.names & {str(value) for kind, value in shown if kind == "DNS"}:
            secured.close()
            told = ", ".join(str(value) for _, value in shown)
            raise ssl.SSLCertVerificationError(
                f"its certificate is for {told or 'nobody'}, not for {' or '.join(sorted(self.names))}"
            )
        return secured


def open_link(
    kubernetes: Kubernetes,
    *,
    name: str,
    namespace: str,
    pod: str,
    address: str | None,
    port: int,
    tls: bool = False,
    timeouts_s: tuple[float, float],
    forward: bool = False,
    trust: Trust | None = None,
    verify: bool | str = True,
) -> HttpClient:
    """A session whose every connection ends in this pod. `name` (web-0) is what messages call it.

    `forward`: by port-forward, from inside the cluster, too. `trust`: by what it is known otherwise; None: by nothing.
    `verify`: what others are known by, to whom it sends us on, as `requests` takes it.

    The session's requests raise NoAnswer when the pod does not answer, and TargetUnreachable when it is gone (PodGone),
    or the API server or the kubelet does not let us reach it, so that we could not find out.
    """
    scheme = "https" if tls else "http"
    if forward or not kubernetes.inside:
        adapter = _OnePool(_ForwardingPool(_Way(kubernetes, namespace, pod, port, tls)))
        return HttpClient(name, f"{scheme}://{name}", timeouts_s=timeouts_s, adapter=adapter, verify=verify)
    # A pod without an address is not running yet: nobody answers there.
    host = address or f"{pod}.has.no.address.invalid"
    direct = None
    if tls:
        pool = _TlsPool(host, port, timeout=Timeout(connect=timeouts_s[0]), retries=False, maxsize=_KEPT)
        pool.trust = trust
        direct = _OnePool(pool)
    base = f"{scheme}://{joined(host, port)}"
    return HttpClient(name, base, timeouts_s=timeouts_s, adapter=direct, verify=verify)


def open_connection(
    kubernetes: Kubernetes,
    *,
    namespace: str,
    pod: str,
    address: str | None,
    port: int,
    tls: bool,
    timeouts_s: tuple[float, float],
    forward: bool = False,
    trust: Trust | None = None,
) -> Connection:
    """One connection that ends in this pod, TLS taken off; its caller closes it. Raises PodGone, OSError.

    `forward` and `trust` as for `open_link`.
    """
    if forward or not kubernetes.inside:
        return cast(Connection, _Way(kubernetes, namespace, pod, port, tls).open())
    if not address:
        raise PodGone(f"pod {namespace}/{pod} has no address")
    plain = socket.create_connection((address, port), timeouts_s[0])
    return _secured(plain, trust) if tls else plain


def served_certificate(connection: Connection) -> bytes:
    """The certificate (DER) that the other side of a connection with TLS has shown; empty without TLS."""
    shown = getattr(connection, "getpeercert", None)
    return (shown(binary_form=True) or b"") if shown else b""


class ForwardedSocket:
    """A port-forward with as much of a socket's face as http.client, urllib3 and socket.SocketIO look at."""

    def __init__(
        self, channel: websocket.WebSocket, port: int, require_way: Callable[[], None] = lambda: None
    ) -> None:
        """`require_way` raises TargetUnreachable where a connection that was lost was not the pod's to lose."""
        self._channel, self._port, self._require_way = channel, port, require_way
        self._io_refs, self._closed = 0, False
        self._left = b""
        # Each of the two channels begins with a message that names the port. Left unread, they would make an idle
        # connection look as if the other side had closed it.
        for _ in (_DATA, _ERROR):
            self._channel.recv()

    def settimeout(self, timeout_s: float | None) -> None:
        self._channel.settimeout(timeout_s)

    def gettimeout(self) -> float | None:
        return self._channel.gettimeout()

    def fileno(self) -> int:
        return self._channel.fileno()

    def sendall(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _MESSAGE_BYTES):
            message = bytes([_DATA]) + view[start : start + _MESSAGE_BYTES]
            self._translated(self._channel.send_binary, message)

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        """What http.client reads an answer from; like a socket's, it outlives `close`."""
        if mode != "rb":
            raise ValueError(f"a forwarded socket is read as rb, not {mode}")
        self._io_refs += 1
        return io.BufferedReader(socket.SocketIO(cast(socket.socket, self), "r"))

    def recv(self, most_bytes: int) -> bytes:
        """The next bytes from the pod; empty at the end. Raises TimeoutError, ConnectionError."""
        while not self._left:
            opcode, data = self._received()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return b""
            if data[:1] == bytes([_ERROR]):
                raise self._complaint(data[1:].decode(errors="replace"))
            self._left = data[1:]
        given, self._left = self._left[:most_bytes], self._left[most_bytes:]
        return given

    def _received(self) -> tuple[int, bytes]:
        """Raises TargetUnreachable where the way broke: that says nothing about the pod."""
        try:
            opcode, data = self._translated(self._channel.recv_data)
        except ConnectionError:
            if not self._is_done():
                self._require_way()
            raise
        return opcode, data

    def pending(self) -> bool:
        """Whether something can be read that has left the network already."""
        of_tls = getattr(self._channel.sock, "pending", None)
        return bool(self._left or (of_tls and of_tls()))

    def recv_into(self, buffer: memoryview) -> int:
        given = self.recv(len(buffer))
        buffer[: len(given)] = given
        return len(given)

    def close(self) -> None:
        self._closed = True
        self._close_if_unused()

    def shutdown(self, *_: Any) -> None:
        self._channel.shutdown()

    def _decref_socketios(self) -> None:
        self._io_refs -= 1
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._is_done():
            self._channel.shutdown()

    def _is_done(self) -> bool:
        """Nobody here reads from it any more."""
        return self._closed and self._io_refs <= 0

    def _complaint(self, text: str) -> ConnectionError:
        """What the kubelet says instead of a connection: mostly that nothing listens, in many words."""
        if "connection refused" in text:
            return ConnectionRefusedError(f"nothing listens on port {self._port} of the pod")
        return ConnectionResetError(f"port {self._port} of the pod: {text}")

    @staticmethod
    def _translated(call: Any, *args: Any) -> Any:
        """Give the WebSocket's errors the types that a socket's would have."""
        try:
            return call(*args)
        except websocket.WebSocketTimeoutException as late:
            raise TimeoutError("timed out") from late
        except websocket.WebSocketException as lost:
            raise ConnectionResetError(str(lost)) from lost


@dataclass(frozen=True)
class _Way:
    """What leads to a port of a pod, and whether TLS is spoken there."""

    kubernetes: Kubernetes
    namespace: str
    pod: str
    port: int
    tls: bool

    def open(self) -> ForwardedSocket | SSLTransport:
        """A new connection. Raises PodGone, TargetUnreachable, and OSError when TLS is not what is spoken there."""
        forwarded = self._forward()
        if not self.tls:
            return forwarded
        try:
            return SSLTransport(cast(socket.socket, forwarded), _trusting())
        except (OSError, TargetUnreachable):
            forwarded.close()
            raise

    def _forward(self) -> ForwardedSocket:
        query = [("ports", str(self.port))]
        channel = open_channel(self.kubernetes, self.namespace, self.pod, "portforward", query)
        channel.settimeout(self.kubernetes.timeouts_s[1])
        try:
            return ForwardedSocket(channel, self.port, self._require)
        except (websocket.WebSocketException, OSError) as lost:
            channel.shutdown()
            raise TargetUnreachable(f"portforward to {self.namespace}/{self.pod} broke: {lost}") from lost

    def _require(self) -> None:
        """Raises TargetUnreachable where no other port-forward comes about: the API server or the kubelet is away.

        A pod that resets a connection is seen as one that was lost, too, and whoever asks then gets another.
        """
        with suppress(PodGone):
            self._forward().close()


class _ForwardedConnection(HTTPConnection):
    """A connection whose socket is a port-forward."""

    way: _Way

    def connect(self) -> None:
        self.sock = self.way.open()


class _ForwardingPool(HTTPConnectionPool):
    def __init__(self, way: _Way) -> None:
        super().__init__(way.pod, way.port, retries=False, maxsize=_KEPT)
        self._way = way

    def ConnectionCls(  # type: ignore[override]  # a factory in place of a class
        self, **kwargs: Any
    ) -> _ForwardedConnection:
        connection = _ForwardedConnection(**kwargs)
        connection.way = self._way
        return connection


class _TlsConnection(TimedConnection):
    """A connection to a pod's address with TLS."""

    trust: Trust | None = None

    def connect(self) -> None:
        super().connect()
        self.sock = _secured(self.sock, self.trust)


class _TlsPool(HTTPConnectionPool):
    trust: Trust | None = None

    def ConnectionCls(self, **kwargs: Any) -> _TlsConnection:  # type: ignore[override]  # a factory
        connection = _TlsConnection(**kwargs)
        connection.trust = self.trust
        return connection


class _OnePool(HTTPAdapter):
    """Sends everything through one pool of connections."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(max_retries=0)
        self._pool = pool

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


def _secured(plain: socket.socket, trust: Trust | None) -> ssl.SSLSocket:
    try:
        return trust.wrap(plain) if trust else _trusting().wrap_socket(plain)
    except OSError:
        plain.close()
        raise


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
