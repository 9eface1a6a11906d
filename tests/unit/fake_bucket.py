"""An object store of a few lines, on loopback: it gives the same to whoever has a URL, and notes what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeBucket(ThreadingHTTPServer):
    """`too_many`: how many bytes more it promises than it gives."""

    daemon_threads = True

    def __init__(self, content: bytes, *, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.status, self.too_many = content, status, 0
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator["FakeBucket"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FakeBucket

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content) + self.server.too_many))
        self.end_headers()
        self.wfile.write(self.server.content)
