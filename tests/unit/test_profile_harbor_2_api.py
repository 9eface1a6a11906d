"""The client of Harbor 2.x against a Harbor of a few lines, with the traps of the real one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from harbor_verify.clients.capabilities import Collection, FormToken, Health, Queue, Robot, Worker
from harbor_verify.clients.harbor import Credentials, Project, Session
from harbor_verify.clients.http import HttpClient
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.profiles.harbor_2.api import Harbor2
from tests.unit.local_server import LocalServer, QuietHandler

ADMIN = Credentials("admin", "Harbor12345")
BASIC = "Basic " + base64.b64encode(b"admin:Harbor12345").decode()
RUN = Project("run", 7)
DIGEST = f"sha256:{'0' * 64}"
WELL = {
    "status": "healthy",
    "components": [{"name": name, "status": "healthy"} for name in ("core", "redis")],
}


class FakeHarbor(QuietHandler):
    """Answers as `server.state` says; `answers` are bodies by method and path, as they are on the wire."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body="", *headers):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        state = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        cookies = dict(each.split("=", 1) for each in self.headers.get("Cookie", "").split("; ") if each)
        state.seen.append(
            SimpleNamespace(method=self.command, path=self.path, body=body, headers=self.headers)
        )
        path = urlsplit(self.path).path
        if path == "/c/login":
            return self.log_in(state, body, cookies)
        if self.command != "GET" and "sid" in cookies:
            # Whatever its session is worth.
            return self.answer(
                403, '{"errors":[{"code":"FORBIDDEN","message":"CSRF token not found in request"}]}'
            )
        if path == "/c/log_out":
            state.sessions.discard(cookies.get("sid"))
            return self.answer(200)
        if path == "/api/v2.0/users/current":
            if self.headers.get("Authorization") == BASIC or cookies.get("sid") in state.sessions:
                return self.answer(200, {"username": "admin"})
            return self.answer(401, "{}", ("Set-Cookie", "sid=another; Path=/; HttpOnly"))
        status, told, *headers = state.answers.get(f"{self.command} {path}", (500, "oh dear"))
        return self.answer(
            status, told(parse_qs(urlsplit(self.path).query)) if callable(told) else told, *headers
        )

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def log_in(self, state, body, cookies):
        if self.command == "GET":
            return self.answer(
                404,
                "page not found",
                ("X-Harbor-CSRF-Token", f"masked-{state.key}"),
                ("Set-Cookie", f"_gorilla_csrf=of-{state.key}; Path=/; HttpOnly"),
                ("Set-Cookie", "sid=before; Path=/; HttpOnly"),
            )
        token = self.headers.get("X-Harbor-CSRF-Token")
        if token != f"masked-{state.key}" or cookies.get("_gorilla_csrf") != f"of-{state.key}":
            return self.answer(403, "CSRF token invalid")
        if body != "principal=admin&password=Harbor12345":
            return self.answer(401, "", *state.refusal)
        if state.keeps_sessions:
            state.sessions.add("abc")
        return self.answer(200, "", ("Set-Cookie", "sid=abc; Path=/; HttpOnly"))


@pytest.fixture
def state():
    return SimpleNamespace(seen=[], sessions=set(), keeps_sessions=True, answers={}, key="k1", refusal=())


@pytest.fixture
def harbor(state):
    with (
        LocalServer(("127.0.0.1", 0), FakeHarbor).running() as server,
        HttpClient("core-0", server.url, timeouts_s=(1, 1)) as http,
    ):
        server.state = state
        yield Harbor2(http)


def test_a_login_brings_the_token_and_the_cookies_of_the_form_and_is_proven(harbor, state):
    session = harbor.sign_in(ADMIN)
    assert harbor.whoami(session) == "admin"
    sent = state.seen[1].headers
    assert sent["X-Harbor-CSRF-Token"] == "masked-k1"
    assert sent["Cookie"] == "_gorilla_csrf=of-k1; sid=before"


@pytest.mark.parametrize("front_door", [None, "https://harbor.example", "https://harbor.example:8443"])
def test_a_form_says_where_its_page_is_as_a_browser_does(harbor, state, front_door):
    """gorilla/csrf 1.7.3 takes what is from the https origin of the request's Host; a proxy passes on both."""
    if front_door:
        harbor.http.come_from(front_door)
    session = harbor.sign_in(ADMIN)
    with pytest.raises(UnexpectedAnswer, match="CSRF"):
        harbor.request_in_flight(session, lambda: None)
    forms = [each for each in state.seen if each.method == "POST"]
    assert [each.path for each in forms] == ["/c/login", "/api/v2.0/projects"]
    for each in forms:
        assert each.headers["Origin"] == (front_door or f"http://{each.headers['Host']}")
        assert each.headers["Origin"].partition("://")[2] == each.headers["Host"]
        assert each.headers["Referer"] == f"{each.headers['Origin']}/"


@pytest.mark.parametrize(
    "url, origin",
    [
        ("https://h.example:443/", "https://h.example"),
        ("http://h.example:80", "http://h.example"),
        ("http://h.example:443", "http://h.example:443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_port_that_goes_without_saying_is_in_no_origin(url, origin):
    with HttpClient("front-door", url, timeouts_s=(1, 1)) as http:
        assert http.origin == origin


def test_a_form_of_a_replica_with_another_key_is_refused_and_no_token_shows(harbor, state):
    token = harbor.form_token()
    state.key = "k2"
    with pytest.raises(UnexpectedAnswer, match="POST /c/login → 403") as refused:
        harbor.sign_in_with(token, ADMIN)
    assert refused.value.status == 403
    assert "masked" not in f"{token}{refused.value}"


def test_a_login_without_a_session_store_is_worth_nothing(harbor, state):
    state.keeps_sessions = False
    assert harbor.whoami(harbor.sign_in(ADMIN)) is None


def test_who_signs_out_is_nobody(harbor):
    session = harbor.sign_in(ADMIN)
    harbor.sign_out(session)
    assert harbor.whoami(session) is None


@pytest.mark.parametrize("refusal, cookie", [((), "before"), ((("Set-Cookie", "sid=new"),), "new")])
def test_a_wrong_password_must_be_refused_and_no_cookie_becomes_anybodys(harbor, state, refusal, cookie):
    state.refusal = refusal
    wrong = Credentials("admin", "wrong")
    session = harbor.wrong_sign_in(wrong)
    assert session == Session("admin", cookie)
    assert harbor.whoami(session) is harbor.whoami_by_password(wrong) is None
    assert harbor.whoami_by_password(ADMIN) == "admin"
    with pytest.raises(UnexpectedAnswer, match="POST /c/login → 200"):
        harbor.wrong_sign_in(ADMIN)


def test_what_goes_with_basic_authentication_never_carries_a_cookie(harbor, state):
    state.answers["POST /api/v2.0/projects"] = (201, "")
    harbor.sign_in(ADMIN)
    assert harbor.whoami(Session("admin", "lost")) is None
    harbor.create_project("run", ADMIN)
    harbor.create_project("run-p", ADMIN, public=True)
    *_, private, public = state.seen
    assert "Cookie" not in private.headers
    assert json.loads(private.body) == {
        "project_name": "run",
        "metadata": {"public": "false"},
        "storage_limit": -1,
    }
    assert json.loads(public.body)["metadata"] == {"public": "true"}


def test_every_page_is_read_and_no_more(harbor, state):
    def page(query):
        first = query["page"] == ["1"]
        names = [f"verify-{n}" for n in range(100)] if first else ["verify-last"]
        return [{"name": name, "project_id": n + 100 * (not first)} for n, name in enumerate(names)]

    state.answers["GET /api/v2.0/projects"] = (200, page)
    found = harbor.projects("verify-", ADMIN)
    assert (len(found), found["verify-last"]) == (101, Project("verify-last", 100))
    assert [urlsplit(each.path).query for each in state.seen] == [
        f"name=verify-&page={n}&page_size=100" for n in (1, 2)
    ]


def test_a_repository_with_slashes_is_encoded_twice_and_its_tags_are_of_artifacts(harbor, state):
    place = "/api/v2.0/projects/run/repositories/a%252Fb%252Fc"
    artifacts = [
        {"digest": DIGEST, "tags": [{"name": "one"}, {"name": "two"}]},
        {"digest": "other", "tags": None},
    ]
    state.answers[f"GET {place}/artifacts"] = (200, artifacts)
    state.answers[f"DELETE {place}/artifacts/one"] = state.answers[f"DELETE {place}"] = (200, "")
    assert harbor.tags("run/a/b/c", ADMIN) == {"one": DIGEST, "two": DIGEST}
    harbor.delete_tag("run/a/b/c", "one", ADMIN)
    harbor.delete_repository("run/a/b/c", ADMIN)
    assert [f"{each.method} {each.path.partition('?')[0]}" for each in state.seen[1:]] == [
        f"DELETE {place}/artifacts/one",
        f"DELETE {place}",
    ]


def test_a_project_goes_with_its_repositories_also_with_those_that_hold_nothing(harbor, state):
    listed = [{"name": "run/full", "artifact_count": 1}, {"name": "run/empty", "artifact_count": 0}]
    state.answers["GET /api/v2.0/projects/run/repositories"] = (200, listed)
    for path in ("projects/run/repositories/full", "projects/run/repositories/empty", "projects/7"):
        state.answers[f"DELETE /api/v2.0/{path}"] = (404 if "empty" in path else 200, "")
    assert harbor.repositories(RUN, ADMIN) == ["run/full"]
    harbor.delete_project(RUN, ADMIN)
    assert [each.path.rpartition("/")[2] for each in state.seen if each.method == "DELETE"] == [
        "full",
        "empty",
        "7",
    ]


def test_values_are_labels_of_the_project_each_made_once_and_removed(harbor, state):
    listed = [{"name": "abcd0123" + end, "id": number} for number, end in enumerate(("0000", "0001"), 4)]
    state.answers["POST /api/v2.0/labels"] = (201, "")
    # It lists whatever has the mark somewhere in its name.
    state.answers["GET /api/v2.0/labels"] = (200, [*listed, {"name": "x-abcd0123", "id": 9}])
    state.answers["DELETE /api/v2.0/labels/4"] = (200, "")
    state.answers["DELETE /api/v2.0/labels/5"] = (404, "")
    harbor.add_value(RUN, "abcd01230000", ADMIN)
    made = json.loads(state.seen[0].body)
    assert (made["name"], made["scope"], made["project_id"]) == ("abcd01230000", "p", 7)
    found = harbor.values(RUN, "abcd0123", ADMIN)
    assert found == {"abcd01230000": 4, "abcd01230001": 5}
    assert "project_id=7" in state.seen[1].path
    for value_id in found.values():
        harbor.remove_value(value_id, ADMIN)
    state.answers["POST /api/v2.0/labels"] = (409, "")
    with pytest.raises(UnexpectedAnswer) as taken:
        harbor.add_value(RUN, "abcd01230000", ADMIN)
    assert taken.value.status == 409


def test_users_and_members_are_made(harbor, state):
    state.answers["POST /api/v2.0/users"] = (201, "", ("Location", "/api/v2.0/users/9"))
    state.answers["GET /api/v2.0/users/search"] = (200, [{"username": "verify-1", "user_id": 9}])
    state.answers["POST /api/v2.0/projects/7/members"] = (201, "")
    harbor.create_user(Credentials("verify-1", "x"), ADMIN, run_id="r")
    assert harbor.users("verify-", ADMIN) == {"verify-1": 9}
    harbor.add_member(RUN, "verify-1", 2, ADMIN)
    assert json.loads(state.seen[-1].body) == {"role_id": 2, "member_user": {"username": "verify-1"}}


def test_a_health_report_is_told_by_its_body(harbor, state):
    state.answers["GET /api/v2.0/health"] = (200, WELL)
    assert harbor.health() == Health("healthy", {"core": "healthy", "redis": "healthy"})
    broken = {"name": "redis", "status": "unhealthy", "error": "dial tcp: refused"}
    state.answers["GET /api/v2.0/health"] = (200, {"status": "unhealthy", "components": [broken]})
    assert harbor.health() == Health("unhealthy", {"redis": "unhealthy: dial tcp: refused"})
    told = harbor.symptoms()
    assert "redis unhealthy: dial tcp: refused" in told
    assert "database: GET /api/v2.0/projects → 500" in told


@pytest.mark.parametrize(
    "body", ["", "[]", '{"status": "healthy"}', '{"status": "healthy", "components": [{}]}']
)
def test_an_answer_without_a_report_is_none(harbor, state, body):
    state.answers["GET /api/v2.0/health"] = (200, body)
    with pytest.raises(UnexpectedAnswer, match=r"no health report|no JSON"):
        harbor.health()


def test_a_quota_tells_what_is_used(harbor, state):
    state.answers["GET /api/v2.0/projects/7/summary"] = (200, {"quota": {"used": {"storage": 4096}}})
    assert harbor.used_bytes(RUN, ADMIN) == 4096
    state.answers["GET /api/v2.0/projects/7/summary"] = (200, {"repo_count": 1})
    with pytest.raises(UnexpectedAnswer, match="no quota of run"):
        harbor.used_bytes(RUN, ADMIN)


def test_a_robot_comes_with_its_secret_and_for_one_project(harbor, state):
    made = {"id": 3, "name": "robot$run+ci", "secret": "s3cret"}
    state.answers["POST /api/v2.0/robots"] = (201, made)
    state.answers["DELETE /api/v2.0/robots/3"] = (404, "")
    robot = harbor.create_robot("ci", RUN, ADMIN)
    assert robot == Robot(3, Credentials("robot$run+ci", "s3cret"))
    assert "s3cret" not in repr(robot)
    (permission,) = json.loads(state.seen[0].body)["permissions"]
    assert permission["namespace"] == "run"
    may = {(each["resource"], each["action"]) for each in permission["access"]}
    assert {("repository", "pull"), ("repository", "push"), ("label", "create"), ("artifact", "list")} <= may
    assert not any(resource in ("member", "project", "robot") for resource, _ in may)
    harbor.delete_robot(3, ADMIN)


def test_the_newest_job_that_has_ended_lately_is_found(harbor, state):
    now = datetime.now(UTC)
    state.answers["GET /api/v2.0/system/gc"] = (
        200,
        [
            {"id": 4, "job_status": "Success", "update_time": (now - timedelta(hours=2)).isoformat()},
            {"id": 3, "job_status": "Error", "update_time": "2026-11-20T07:43:50.000Z"},
            {"id": 5, "job_status": "Running", "update_time": now.isoformat()},
        ],
    )
    assert harbor.newest_ended_job(ADMIN, within_s=3 * 3600) == 4
    assert harbor.newest_ended_job(ADMIN, within_s=3600) is None
    state.answers["GET /api/v2.0/system/gc"] = (200, [{"id": 4}])
    with pytest.raises(UnexpectedAnswer, match="no list of executions"):
        harbor.newest_ended_job(ADMIN, within_s=3600)


def test_a_job_that_changes_nothing_is_started_and_followed(harbor, state):
    state.answers["POST /api/v2.0/system/gc/schedule"] = (201, "", ("Location", "/api/v2.0/system/gc/5"))
    state.answers["GET /api/v2.0/system/gc/5"] = (200, {"job_status": "Success"})
    state.answers["GET /api/v2.0/system/gc/5/log"] = (200, "success to run gc in job.\n")
    assert harbor.start_harmless_job(ADMIN) == 5
    assert json.loads(state.seen[0].body)["parameters"]["dry_run"] is True
    assert harbor.job_status(5, ADMIN) == "Success"
    assert harbor.job_log(5, Session("admin", "signed-in")) == "success to run gc in job.\n"


def test_queues_and_workers_say_only_what_is_not_nothing(harbor, state):
    """Recorded: an empty queue has neither count nor latency, an idle worker no job."""
    state.answers["GET /api/v2.0/jobservice/queues"] = (
        200,
        [
            {"job_type": "REPLICATION", "paused": False},
            {"job_type": "RETENTION", "count": 2, "latency": 61, "paused": True},
        ],
    )
    assert harbor.queues(ADMIN) == [Queue("REPLICATION", 0, 0, False), Queue("RETENTION", 2, 61, True)]
    at = {"job_name": "REPLICATION", "job_id": "a", "start_at": "2026-11-23T21:00:20.000Z"}
    state.answers["GET /api/v2.0/jobservice/pools/all/workers"] = (
        200,
        [{"id": "x", "pool_id": "p"}, {"id": "y", "pool_id": "p", **at}],
    )
    since = datetime(2026, 11, 23, 21, 0, 20, tzinfo=UTC)
    assert harbor.workers(ADMIN) == [Worker("p"), Worker("p", "REPLICATION", "a", since)]
    assert {each.headers["Authorization"] for each in state.seen} == {BASIC}


def test_garbage_collections_come_newest_first_with_what_they_say_of_themselves(harbor, state):
    told = {"update_time": "2026-11-27T07:44:00.000Z", "job_status": "Success"}
    state.answers["GET /api/v2.0/system/gc"] = (
        200,
        [
            {"id": 4, "job_parameters": '{"dry_run":true,"freed_space":3081}', **told},
            {"id": 5, "job_parameters": "", **told},
        ],
    )
    at = datetime(2026, 11, 27, 7, 44, tzinfo=UTC)
    assert harbor.collections(ADMIN) == [
        Collection(5, "Success", at, False, None),
        Collection(4, "Success", at, True, 3081),
    ]


def test_harbor_is_as_old_as_its_oldest_project(harbor, state):
    state.answers["GET /api/v2.0/projects"] = (200, [{"creation_time": "2026-11-23T21:00:20.000Z"}])
    assert harbor.founded(ADMIN) == datetime(2026, 11, 23, 21, 0, 20, tzinfo=UTC)
    state.answers["GET /api/v2.0/projects"] = (200, [])
    assert harbor.founded(ADMIN) is None


@pytest.mark.parametrize(
    "ask, path, answer",
    [
        (Harbor2.queues, "jobservice/queues", [{"count": 1}]),
        (Harbor2.queues, "jobservice/queues", {"errors": []}),
        (Harbor2.workers, "jobservice/pools/all/workers", [{"id": "x"}]),
        (Harbor2.collections, "system/gc", [{"id": 4}]),
        (Harbor2.founded, "projects", [{}]),
    ],
)
def test_what_is_no_answer_about_jobs_is_told(harbor, state, ask, path, answer):
    state.answers[f"GET /api/v2.0/{path}"] = (200, answer)
    with pytest.raises(UnexpectedAnswer, match="no list of"):
        ask(harbor, ADMIN)


@pytest.mark.parametrize(
    "told, administrator",
    [
        ({"admin_role_in_auth": False, "sysadmin_flag": True}, True),
        # By a group of LDAP or OIDC.
        ({"admin_role_in_auth": True, "sysadmin_flag": False}, True),
        ({"admin_role_in_auth": False, "sysadmin_flag": False}, False),
        ({"sysadmin_flag": False}, None),
        ({}, None),
    ],
)
def test_an_administrator_is_one_by_its_own_flag_or_by_a_group(told, administrator):
    answer = SimpleNamespace(status_code=200, json=lambda: {"username": "ci", **told})
    http = SimpleNamespace(get=lambda path, **_: answer)
    assert Harbor2(http).is_administrator(ADMIN) is administrator


def test_only_who_is_signed_in_is_told_the_version(harbor, state):
    state.answers["GET /api/v2.0/systeminfo"] = (200, {"harbor_version": None, "auth_mode": "db_auth"})
    assert harbor.version(ADMIN) == ""
    assert state.seen[0].headers["Authorization"] == BASIC
    assert harbor.authentication_mode() == "db_auth"
    assert "Authorization" not in state.seen[1].headers
    assert not harbor.is_read_only(ADMIN)


@pytest.mark.parametrize(
    "told, lives_s",
    [
        ({"session_timeout": {"value": 15, "editable": True}}, 900),
        ({"session_timeout": {"value": 0, "editable": True}}, None),
        ({"session_timeout": {"editable": False}}, None),
        ({}, None),
    ],
)
def test_how_long_an_unused_session_lives_is_what_the_administrator_set(told, lives_s):
    answer = SimpleNamespace(status_code=200, json=lambda: told)
    asked = Harbor2(SimpleNamespace(get=lambda path, **_: answer))
    assert asked.keeps_unused_sessions_s(ADMIN) == lives_s


def test_it_is_read_only_where_it_says_so_to_who_is_signed_in(harbor, state):
    for told in (False, True):
        state.answers["GET /api/v2.0/systeminfo"] = (200, {"read_only": told})
        assert harbor.is_read_only(ADMIN) is told
    assert state.seen[0].headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    "page, harbors",
    [("<title>Harbor</title>", True), ("<harbor-app>", True), ("<title>Welcome to nginx!", False)],
)
def test_harbors_page_is_told_from_another(harbor, state, page, harbors):
    state.answers["GET /"] = (200, page)
    if harbors:
        harbor.require_page()
    else:
        with pytest.raises(UnexpectedAnswer, match="not Harbor's"):
            harbor.require_page()


def test_a_form_without_a_token_is_told(harbor, monkeypatch):
    monkeypatch.setattr(FakeHarbor, "log_in", lambda self, *_: self.answer(404, "not found"))
    with pytest.raises(UnexpectedAnswer, match=r"GET /c/login → 404.* without a header X-Harbor-CSRF-Token"):
        harbor.form_token()
    assert "t0ken" not in repr(FormToken("t0ken", "t0ken"))
