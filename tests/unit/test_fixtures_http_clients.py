"""The HTTP clients against a Harbor 1.2 of a few lines, with the traps of the real one."""

import base64
import json
import ssl
from types import SimpleNamespace

import pytest

from harbor_verify.clients import http as http_client
from harbor_verify.clients.harbor import Credentials, Project, Session
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import NoAnswer, UnexpectedAnswer
from harbor_verify.profiles.harbor_1_2.api import Harbor12
from tests.unit.local_server import AnsweringHandler, LocalServer

ADMIN = Credentials("admin", "Harbor12345")
CHALLENGE = 'Bearer realm="http://h.example/service/token",service="harbor-registry"'


class FakeHarbor(AnsweringHandler):
    """Answers as `state` says."""

    def signed_in(self):
        if self.headers.get("Cookie") in self.server.sessions:
            return True
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(b"admin:Harbor12345").decode()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.seen.append((self.command, self.path, body))
        if self.path == "/login":
            right = body == "principal=admin&password=Harbor12345"
            if right and self.server.keeps_sessions:
                self.server.sessions.add("beegosessionID=abc")
            self.answer(200 if right else 401, Set_Cookie="beegosessionID=abc; Path=/; HttpOnly")
        elif not self.signed_in():
            self.answer(401)
        else:
            self.answer(201, Location="/api/projects/7")

    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers.get("Cookie")))
        if self.path == "/api/users/current":
            if self.signed_in():
                self.answer(200, b'{"username": "admin"}')
            else:
                self.answer(401, b"\n", Set_Cookie="beegosessionID=another; Path=/; HttpOnly")
        elif self.path == "/v2/":
            self.answer(401, b"{}", WWW_Authenticate=CHALLENGE) if self.server.asks else self.answer(
                200, b"{}"
            )
        elif self.path.startswith("/api/projects"):
            first = "page=1" in self.path
            names = [f"verify-{n}" for n in range(100)] if first else ["verify-last"]
            if "verify-abcd0123" in self.path:
                names = ["verify-abcd01230000-v", "verify-abcd0123-w", "verify-ffffabcd0123-v"]
            found = [{"name": name, "project_id": n + 100 * (not first)} for n, name in enumerate(names)]
            self.answer(200, json.dumps(found).encode())
        elif self.path == "/moved":
            self.answer(302, Location="/api/users/current")
        elif self.path == "/broken":
            self.close_connection = True
        else:
            self.answer(500, b"oh dear")


@pytest.fixture
def server():
    server = LocalServer(("127.0.0.1", 0), FakeHarbor)
    server.sessions, server.seen, server.keeps_sessions, server.asks = set(), [], True, True
    with server.running():
        yield server


@pytest.fixture
def http(server):
    with HttpClient("ui-0", server.url, timeouts_s=(1, 1)) as client:
        yield client


def test_a_login_is_proven_by_who_one_is(http):
    harbor = Harbor12(http)
    assert harbor.whoami(harbor.sign_in(ADMIN)) == "admin"


def test_a_login_without_a_session_store_is_worth_nothing(http, server):
    server.keeps_sessions = False
    harbor = Harbor12(http)
    assert harbor.whoami(harbor.sign_in(ADMIN)) is None


def test_values_are_projects_of_a_name_of_their_own(http, server):
    harbor = Harbor12(http)
    harbor.add_value(Project("w", 7), "abcd01230000", ADMIN)
    assert json.loads(server.seen[-1][2])["project_name"] == "verify-abcd01230000-v"
    assert harbor.values(Project("w", 7), "abcd0123", ADMIN) == {"abcd01230000": 0}


@pytest.mark.parametrize(
    "told, administrator", [({"has_admin_role": 1}, True), ({"has_admin_role": 0}, False), ({}, None)]
)
def test_an_administrator_is_one_by_the_number_that_harbor_tells(told, administrator):
    answer = SimpleNamespace(status_code=200, json=lambda: {"username": "ci", **told})
    http = SimpleNamespace(get=lambda path, **_: answer)
    assert Harbor12(http).is_administrator(ADMIN) is administrator


def test_a_refused_login_says_so(http):
    with pytest.raises(UnexpectedAnswer, match="POST /login → 401") as refused:
        Harbor12(http).sign_in(Credentials("admin", "wrong"))
    assert refused.value.status == 401
    assert "wrong" not in str(refused.value)


def test_a_wrong_password_must_be_refused_and_its_cookie_is_nobodys(http):
    harbor, wrong = Harbor12(http), Credentials("admin", "wrong")
    session = harbor.wrong_sign_in(wrong)
    assert session.cookie
    assert harbor.whoami(session) is None
    assert harbor.whoami_by_password(wrong) is None
    assert harbor.whoami_by_password(ADMIN) == "admin"
    with pytest.raises(UnexpectedAnswer, match="POST /login → 200"):
        harbor.wrong_sign_in(ADMIN)


def test_the_cookie_that_is_tried_is_the_one_that_was_given(http, server):
    """Harbor answers an unknown session with a new cookie: sent the next time, it would hide a lost session."""
    harbor = Harbor12(http)
    for _ in range(2):
        assert harbor.whoami(Session("admin", "lost")) is None
    assert [cookie for *_, cookie in server.seen] == ["beegosessionID=lost"] * 2


def test_nothing_of_the_environment_is_sent(http, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login admin password Harbor12345\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Harbor12(http).whoami(Session("admin", "lost")) is None


def test_a_redirect_is_an_answer_not_an_order(http):
    assert http.get("/moved").status_code == 302


def test_an_unexpected_answer_shows_what_came(http):
    with pytest.raises(UnexpectedAnswer, match='GET /api/repositories → 500 Internal Server Error "oh dear"'):
        Harbor12(http).repositories(Project("p", 1), ADMIN)


def test_every_page_of_projects_is_read(http):
    found = Harbor12(http).projects("verify-", ADMIN)
    assert len(found) == 101
    assert found["verify-last"] == Project("verify-last", 100)


def test_a_project_is_private_unless_it_is_said_and_refused_to_strangers(http, server):
    harbor = Harbor12(http)
    harbor.create_project("p", ADMIN)
    harbor.create_project("p", ADMIN, public=True)
    assert [json.loads(body)["public"] for *_, body in server.seen] == [0, 1]
    with pytest.raises(UnexpectedAnswer, match="401"):
        harbor.create_project("p", Credentials("admin", "wrong"))


def test_symptoms_tell_a_dead_database_from_a_wrong_password(http):
    told = Harbor12(http).symptoms()
    assert "adminserver: GET /api/systeminfo → 500" in told
    assert "database: answers" in told


def test_a_challenge_is_taken_apart(http, server):
    seen = Registry(http).challenge()
    assert (seen.status, seen.scheme, seen.service) == (401, "Bearer", "harbor-registry")
    assert seen.realm == "http://h.example/service/token"
    server.asks = False
    assert (Registry(http).challenge().status, Registry(http).challenge().realm) == (200, "")


def test_no_answer_tells_whether_the_request_may_have_arrived(http):
    with pytest.raises(NoAnswer) as dropped:
        http.get("/broken")
    assert dropped.value.sent
    with (
        HttpClient("ui-1", "http://127.0.0.1:1", timeouts_s=(1, 1)) as nobody,
        pytest.raises(NoAnswer) as refused,
    ):
        nobody.get("/token?scope=x")
    assert not refused.value.sent
    assert refused.value.about == {"request": "GET /token", "cause": "ConnectionRefusedError"}
    assert "ui-1" in str(refused.value)
    assert "ConnectionRefusedError" in str(refused.value)


def test_secrets_do_not_show():
    assert "Harbor12345" not in repr(ADMIN)
    assert "abc" not in repr(Session("admin", "abc"))


@pytest.mark.parametrize(
    "cause, surely_unsent",
    [(ssl.SSLCertVerificationError("unknown authority"), True), (ssl.SSLError("bad record mac"), False)],
)
def test_an_error_of_tls_may_come_after_all_was_sent_but_for_a_certificate_that_is_not_trusted(
    cause, surely_unsent
):
    assert http_client._refused([cause]) is surely_unsent
