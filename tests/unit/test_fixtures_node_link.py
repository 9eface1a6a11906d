"""The front door by a node's address: TLS is verified against the front door's name, which is also asked for."""

import ssl
from contextlib import contextmanager

import pytest
from urllib3.exceptions import InsecureRequestWarning

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NoAnswer, UnexpectedAnswer
from harbor_verify.profiles.harbor_1_2.api import Harbor12
from harbor_verify.providers import Access
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from tests.unit.certificates import new_certificate
from tests.unit.local_server import LocalServer, QuietHandler


class FakePage(QuietHandler):
    """Answers with the page of `server.answer`: status, headers, body."""

    def do_GET(self):
        self.server.asked.append(self.headers["Host"])
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def door(*, certificate=None, answer=(200, {}, b"<title>Harbor</title>")):
    server = LocalServer(("127.0.0.1", 0), FakePage)
    server.answer, server.asked = answer, []
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with server.running():
        yield server


@pytest.fixture
def certificate(tmp_path):
    """A certificate of harbor.example, with its key."""
    return new_certificate(tmp_path / "harbor.pem", "harbor.example")


def page_at(server, url, **settings):
    access = Access("existing", None, "harbor", url, Credentials("admin", "x"), None, False)
    target = Target(access, None, Settings(**settings))
    scheme = url.partition(":")[0]
    with target.new_node_link("node-1", "127.0.0.1", server.server_port, scheme=scheme) as link:
        Harbor12(link).require_page()


def test_a_node_is_asked_for_the_front_doors_host():
    with door() as server:
        page_at(server, "http://harbor.example:31777")
        assert server.asked == ["harbor.example:31777"]


def test_the_certificate_at_a_node_is_to_be_the_front_doors(certificate):
    with door(certificate=certificate) as server:
        page_at(server, "https://harbor.example", ca_file=certificate)
        with pytest.raises(NoAnswer, match=r"other\.example"):
            page_at(server, "https://other.example", ca_file=certificate)
        with pytest.warns(InsecureRequestWarning):
            page_at(server, "https://other.example", insecure=True)


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "https://harbor.example/"}, b""),
        (200, {}, b"<html><title>VMware Harbor</title></html>"),
        (200, {"Set-Cookie": "beegosessionID=abc; Path=/"}, b"<title>Images</title>"),
    ],
)
def test_a_page_of_harbors_and_the_way_to_it_are_known(answer):
    with door(answer=answer) as server:
        page_at(server, "http://harbor.example")


@pytest.mark.parametrize("answer", [(200, {}, b"<title>Welcome</title>"), (502, {}, b""), (404, {}, b"")])
def test_another_page_is_not_taken_for_harbors(answer):
    with door(answer=answer) as server, pytest.raises(UnexpectedAnswer, match=f"GET / → {answer[0]}"):
        page_at(server, "http://harbor.example")
