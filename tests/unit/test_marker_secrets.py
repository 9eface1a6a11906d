"""Ten planted secrets, and a run in which nothing goes well: none of them is in a byte that the run has written."""

import base64
import json
import re
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from tests.unit.local_server import LocalServer, QuietHandler
from tests.unit.whole_runs import place_of, reference

ADMIN = "Mk0-admin/+ %&pass"
PLANTED = {
    "CHANGE-ME-16BYTE": "Mk1SecretKey16By",
    "CHANGE-ME-ADMIN-PASSWORD": "Mk2-first-admin",
    "CHANGE-ME-CORE-SECRET": "Mk3-core-secret",
    "CHANGE-ME-CSRF-KEY": "Mk4-csrf-key-of-thirty-two-bytes",
    "CHANGE-ME-DATABASE-PASSWORD": "Mk5-database+pass",
    "CHANGE-ME-HTTP-SECRET": "Mk6-http-secret",
    "CHANGE-ME-JOBSERVICE-SECRET": "Mk7-jobservice",
    "CHANGE-ME-REDIS-PASSWORD": "Mk8-redis-and-sentinel",
    "CHANGE-ME-REGISTRY-PASSWORD": "Mk9-registry-credential",
}
TOKEN_KEY = "-----BEGIN PRIVATE KEY-----\nMk10TokenKeyMk10TokenKeyMk10TokenKey==\n-----END PRIVATE KEY-----"
S3_KEY, ROBOT, COOKIE = "Mk11-s3-secret-key", "Mk12-robot-secret", "Mk13c00kie0fthe5ession"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJNazE0In0.Mk14-signature"
ALL = {ADMIN, *PLANTED.values(), "Mk10TokenKey", S3_KEY, ROBOT, COOKIE, "Mk14-signature"}


class Harbor(QuietHandler):
    """Lets one in, makes what is asked for, and answers the rest with all that it knows and was told."""

    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        path = self.path.partition("?")[0].removeprefix("/api/v2.0")
        if path == "/users" and self.command == "POST":
            self.server.users.append(json.loads(body)["password"])
        status, answer = self._answer(path, body)
        data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Set-Cookie", f"sid={COOKIE}; Path=/; HttpOnly")
        self.send_header("X-Harbor-CSRF-Token", PLANTED["CHANGE-ME-CSRF-KEY"])
        self.send_header(
            "WWW-Authenticate", 'Bearer realm="http://127.0.0.1:1/service/token",service="harbor"'
        )
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    def _answer(self, path, body):
        login = self.headers.get("Authorization", "").rpartition(" ")[2]
        who = base64.b64decode(login).decode(errors="replace").partition(":")[0] if login else ""
        if path == "/systeminfo":
            return 200, {"harbor_version": "v2.12.0", "auth_mode": "db_auth"}
        if path == "/users/current" and (who or "sid=" in self.headers.get("Cookie", "")):
            return 200, {"username": who or "admin"}
        if path == "/projects" and self.command == "GET":
            name = re.search(r"name=([^&]+)", self.path)
            return 200, [{"name": name[1] if name else "library", "project_id": 1, "creation_time": "2026"}]
        if path == "/robots" and self.command == "POST":
            return 201, {"id": 1, "name": "robot$ci", "secret": ROBOT}
        if path in ("/users", "/projects") or path.endswith("/members"):
            return 201, ""
        if path in ("/c/login", "/"):
            return 200, "<title>Harbor</title>"
        if path == "/service/token":
            return 200, {"token": JWT}
        if path == "/v2/":
            return 401, ""
        return 500, json.dumps(
            {
                **PLANTED,
                "s3": S3_KEY,
                "key": TOKEN_KEY,
                "headers": str(self.headers),
                "body": body,
                "token": JWT,
            }
        )


def planted():
    text = reference()
    for placeholder, secret in PLANTED.items():
        assert placeholder in text
        text = text.replace(placeholder, secret)
    text = text.replace("CHANGE-ME-TOKEN-KEY", json.dumps(TOKEN_KEY))
    key = f"  REGISTRY_STORAGE_S3_SECRETKEY: {S3_KEY}\n"
    text = text.replace("  REGISTRY_HTTP_SECRET:", f"{key}  REGISTRY_HTTP_SECRET:")
    assert S3_KEY in text
    event = {
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "harbor-core-0"},
        "type": "Warning",
        "reason": "Failed",
        "message": f"it does not start: {logged()}",
        "lastTimestamp": "2099-01-01T00:00:00Z",
    }
    return f"{text}\n---\n{json.dumps(event)}"


def logged():
    """As programs write what they know: plain, in URLs, in JSON, in base64."""
    every = [*PLANTED.values(), S3_KEY, TOKEN_KEY]
    return "\n".join(
        [
            *(f"failed with {secret}" for secret in every),
            *(f"https://user:{quote(secret, safe='')}@host/" for secret in every),
            *(json.dumps({"password": secret}) for secret in every),
            *(
                f"Authorization: Basic {base64.b64encode(f'admin:{secret}'.encode()).decode()}"
                for secret in every
            ),
            *(base64.b64encode(secret.encode()).decode() for secret in every),
            f"Cookie: sid={COOKIE}",
            f"Authorization: Bearer {JWT}",
        ]
    )


def forms(secret):
    """As bytes of a file may hold it; base64 wherever it begins within what is encoded."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode()).decode().rstrip("=")
        yield encoded[(4 if before else 0) : len(encoded) - 2]


def found(text, secrets):
    texts = (text, unquote_plus(text))
    return {secret for secret in secrets if any(form in each for form in forms(secret) for each in texts)}


SUITES = (
    *("access", "configuration/test_drift.py", "configuration/test_stored_passwords.py"),
    *("sessions/test_shared_sessions.py", "sessions/test_session_store.py", "database/test_reachable.py"),
    "failover/test_web_pod_kill.py",
)
CHECKS = (
    *("access.login-accepts-*", "access.realm-*", "access.robot-*", "configuration.replicas-run-alike"),
    *("configuration.stored-*", "sessions.known-*", "sessions.stored-*", "database.reachable"),
    "failover.web-pod-kill",
)


@pytest.fixture(scope="module")
def run_over(tmp_path_factory):
    """(folder, what the terminal showed, the secrets), after one run."""
    folder = tmp_path_factory.mktemp("run")
    server = LocalServer(("127.0.0.1", 0), Harbor)
    server.users = []
    with server.running(), place_of(folder, ("127.0.0.1", server.server_port), planted()) as place:
        place.suites = SUITES
        place.log = logged()
        place.complaint = f"exit code 1: {logged()}"
        flags = [word for pattern in CHECKS for word in ("--check", pattern)]
        metrics = f"--metrics-file={folder}/metrics.prom"
        code, output = place.run(
            *flags,
            "--allow-disruption",
            metrics,
            "--junit-xml",
            str(folder / "junit.xml"),
            HARBOR_VERIFY_ADMIN_PASSWORD=ADMIN,
        )
        ledger = json.dumps(list(place.objects.there.values()))
        return place, code, output, ledger, ALL | set(server.users)


def test_the_run_went_as_badly_as_it_should(run_over):
    place, code, output, _, secrets = run_over
    assert code == 1, output
    assert len(secrets) > len(ALL), "the run made a user"
    assert {"fail", "error"} <= set(place.verdicts().values())
    written = {file.name for file in place.folder.rglob("*") if file.is_file()}
    assert written >= {
        "report.json",
        "report.html",
        "summary.md",
        "metrics.prom",
        "junit.xml",
        "pods.yaml",
        "events.yaml",
    }
    assert "history.jsonl" in written
    assert any(name.endswith(".log") for name in written)


def test_no_secret_is_in_any_byte_that_was_written(run_over):
    place, _, output, ledger, secrets = run_over
    leaks = {"terminal": found(output, secrets), "ledger": found(ledger, secrets)}
    for file in place.folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            leaks[str(file.relative_to(place.folder))] = found(
                file.read_bytes().decode(errors="replace"), secrets
            )
    assert {name: leaked for name, leaked in leaks.items() if leaked} == {}


def test_the_search_finds_what_is_there():
    """A test that cannot fail is a lie."""
    for text in (
        ADMIN,
        quote(ADMIN, safe=""),
        base64.b64encode(f"admin:{ADMIN}".encode()).decode(),
        json.dumps(ADMIN),
    ):
        assert found(f"xx {text} yy", {ADMIN}) == {ADMIN}
