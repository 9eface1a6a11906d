"""Connections to Redis, kept and given up as the real ui's client does it.

A connection that Redis has closed while it lay idle is not noticed: the next command on it fails and uses it up.
There is no timeout: with a frozen Redis the calls hang.
"""

import socket
import threading

DEFAULT_SIZE = 100


class RedisError(Exception):
    """No connection, or Redis refuses; the text is Redis's or the system's."""


class Pool:
    """Opened with the text of _REDIS_URL: host:port,connections,password,database."""

    def __init__(self, setting: str) -> None:
        address, size, password, database, *_ = [*setting.split(","), "", "", ""]
        self._address = address
        self._size = _number(size) or DEFAULT_SIZE
        self._password = password
        self._database = _number(database)
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def check(self) -> None:
        """Connect, give the password, choose the database. Raises RedisError."""
        self._give_back(self._take())

    def command(self, *words: str | bytes | int) -> bytes | int | None:
        """Run one command. Raises RedisError."""
        connection = self._take()
        reply = connection.command(*words)
        self._give_back(connection)
        return reply

    def _take(self) -> "_Connection":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = _Connection(self._address)
        if self._password:
            connection.command("AUTH", self._password)
        connection.command("SELECT", self._database)
        return connection

    def _give_back(self, connection: "_Connection") -> None:
        with self._lock:
            if len(self._idle) < self._size:
                self._idle.append(connection)
                return
        connection.close()


class _Connection:
    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if ":" in host:
            raise RedisError(f"dial tcp: address {address}: too many colons in address")
        try:
            self._socket = socket.create_connection((host, int(port)))
        except (OSError, ValueError) as failure:
            raise RedisError(f"dial tcp {address}: {failure}") from failure
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")

    def command(self, *words: str | bytes | int) -> bytes | int | None:
        """Closes itself and raises RedisError when that fails."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        message = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        try:
            self._socket.sendall(message)
            return self._reply()
        except (OSError, ValueError) as failure:
            self.close()
            raise RedisError(str(failure)) from failure
        except RedisError:
            self.close()
            raise

    def close(self) -> None:
        self._replies.close()
        self._socket.close()

    def _reply(self) -> bytes | int | None:
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("EOF")
        kind, rest = line[:1], line[1:-2]
        match kind:
            case b"+":
                return rest
            case b"-":
                raise RedisError(rest.decode())
            case b":":
                return int(rest)
            case b"$" if int(rest) < 0:
                return None
            case b"$":
                data = self._replies.read(int(rest) + 2)
                if len(data) != int(rest) + 2:
                    raise RedisError("EOF")
                return data[:-2]
        raise RedisError(f"unexpected answer {line!r}")


def _number(text: str) -> int:
    """A positive number, 0 for everything else."""
    return int(text) if text.isdecimal() else 0
