"""The administrator's password goes to the front door and nowhere else, whatever a check asks for."""

import base64
from contextlib import closing

import pytest

from harbor_verify.clients.harbor import Credentials, Session, basic
from harbor_verify.clients.http import HttpClient, PasswordRule
from harbor_verify.clients.registry import by_password
from harbor_verify.clients.token_service import fetch
from harbor_verify.errors import CannotTell, PasswordWithheld
from harbor_verify.logins import Logins
from tests.unit.local_server import LocalServer, QuietHandler

ADMIN = ("admin", "MARKER-of the admin")
USER = ("verify-1", "another")


class Handler(QuietHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST


@pytest.fixture
def server():
    server = LocalServer(("127.0.0.1", 0), Handler)
    server.seen = []
    with server.running():
        yield server


def link(server, front, rule=None):
    rule = rule or PasswordRule(ADMIN[1], front)
    return closing(HttpClient("a-place", server.url, timeouts_s=(1, 1), rule=rule))


FOREIGN = Credentials("admin", "Paßwört-€")


def test_a_password_that_is_not_ascii_is_sent_as_utf_8_and_known_by_the_rule(server):
    """`requests` would send text as Latin-1, of which Harbor reads another password, and which has no €."""
    rule = PasswordRule(FOREIGN.password, server.url)
    with link(server, server.url, rule) as http:
        http.get("/", auth=basic(FOREIGN))
    ((_, sent, _),) = server.seen
    assert sent == f"Basic {FOREIGN.login}" == by_password(FOREIGN)("")
    assert base64.b64decode(FOREIGN.login).decode() == "admin:Paßwört-€"
    with link(server, "http://harbor.example", PasswordRule(FOREIGN.password, "")) as http:
        with pytest.raises(PasswordWithheld):
            http.get("/", auth=basic(FOREIGN))
        with pytest.raises(PasswordWithheld):
            fetch(http, FOREIGN)
    assert len(server.seen) == 1


WAYS = (
    {"auth": ADMIN},
    {"data": {"principal": ADMIN[0], "password": ADMIN[1]}},
)


@pytest.mark.parametrize("way", WAYS, ids=["basic", "form"])
def test_what_is_no_front_door_is_not_sent_it(server, way):
    with link(server, "http://harbor.example") as http, pytest.raises(PasswordWithheld) as told:
        http.post("/c/login", **way)
    assert server.seen == []
    assert ADMIN[1] not in str(told.value)


@pytest.mark.parametrize("way", WAYS, ids=["basic", "form"])
@pytest.mark.parametrize("realm", ["http://127.0.0.1:1/service/token", "https://127.0.0.1/service/token"])
def test_a_realm_on_another_host_port_or_scheme_is_not_sent_it(server, way, realm):
    with link(server, server.url) as http, pytest.raises(PasswordWithheld):
        http.post(realm, **way)


@pytest.mark.parametrize("way", WAYS, ids=["basic", "form"])
def test_the_front_door_is_sent_it_and_a_redirect_is_not_followed(server, way):
    with link(server, server.url) as http:
        assert http.post("/c/login", **way).status_code == 307
    assert len(server.seen) == 1


def test_others_may_go_everywhere(server):
    with link(server, "http://harbor.example") as http:
        http.get("/", auth=USER)
        http.post("/", data={"principal": USER[0], "password": USER[1]})
    assert len(server.seen) == 2


def test_where_harbor_makes_no_user_replicas_may_be_sent_it_and_realms_not(server):
    rule = PasswordRule(ADMIN[1], "http://harbor.example", also_to_its_own=True)
    with link(server, "", rule) as http:
        http.get("/", auth=ADMIN)
        with pytest.raises(PasswordWithheld):
            http.get("http://127.0.0.1:1/service/token", auth=ADMIN)
    assert len(server.seen) == 1


class Web:
    """Knows the sessions that it opened itself."""

    def __init__(self, name):
        self.name, self.known = name, set()

    def sign_in(self, credentials):
        self.known.add(cookie := f"{self.name}-{len(self.known)}")
        return Session(credentials.user, cookie)

    def whoami(self, session):
        return session.user if session.cookie in self.known else None

    def close(self):
        pass


def logins(webs):
    turns = iter(webs * 100)
    return Logins(Credentials(*ADMIN), lambda: next(turns), PasswordRule(ADMIN[1], "http://h"))


def test_a_session_for_a_replica_begins_at_the_front_door_even_where_none_are_shared():
    webs = [Web(f"web-{number}") for number in range(3)]
    found = logins(webs)
    for web in webs:
        assert web.whoami(found.administrator_at(web, 3)) == "admin"


def test_a_replica_that_knows_no_session_is_not_asked_as_the_administrator():
    with pytest.raises(CannotTell, match="knows no session of admin that began at the front door"):
        logins([Web("web-0")]).administrator_at(Web("web-1"), 2)
