"""An object store of a few lines, on loopback: it gives what it has to whoever asks, and notes what it was asked."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.unit.local_server import LocalServer, QuietHandler


class FakeBucket(LocalServer):
    """`content`: for all, or by the name of what is asked for. `too_many`: bytes that it promises beyond that."""

    def __init__(self, content: bytes | Callable[[str], bytes], *, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.status, self.too_many = content, status, 0
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Handler(QuietHandler):
    server: FakeBucket

    def _answer(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        content = self.server.content
        if callable(content):
            content = content(urlsplit(self.path).path.rpartition("/")[2])
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content) + self.server.too_many))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = _answer
