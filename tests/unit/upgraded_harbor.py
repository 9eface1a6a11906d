"""A Harbor of a few things, behind its real API client and an API server: kept, changed, and compared.

Everything that it holds is data which a test changes between `save` and `check`.
"""

import base64
import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from harbor_verify import reached
from harbor_verify.baseline import command, fingerprints
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from harbor_verify.model.discovery import discover
from harbor_verify.target import Target
from tests.unit.deployments import text_of
from tests.unit.local_server import LocalServer, QuietHandler
from tests.unit.small_cluster import NAMESPACE, small_cluster

ADMIN = Credentials("admin", "Adm1n-of-the-test")
ENVIRONMENT = {"HARBOR_VERIFY_ADMIN_PASSWORD": ADMIN.password}
ROBOT = "robot$library+ci"
OLD, NEW = "v2.12.4", "v2.15.2"
API = "/api/v2.0"
LAYER = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64
PUSHED = "2026-01-01T00:00:00.000Z"


_OF_THE_RUN = "cookie-of-the-run"
_TRIGGER = {"trigger": {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}, "references": {"job_id": 5}}}


def artifact(digest: str, *tags: str, pushed: str = PUSHED) -> dict[str, Any]:
    return {"digest": digest, "tags": [{"name": tag, "push_time": pushed} for tag in tags] or None}


def contents() -> dict[str, Any]:
    """What the API answers, by path."""
    rule = {"id": 4, "name": "nightly", "enabled": True, "src_registry": {"id": 3, "name": "hub"}}
    every_day = {"id": 1, "vendor_type": "GARBAGE_COLLECTION", "vendor_id": -1, "cron": "0 0 0 * * *"}
    pulls = {
        "kind": "project",
        "namespace": "library",
        "access": [{"resource": "repository", "action": "pull"}],
    }
    library = {"project_id": 1, "name": "library", "metadata": {"public": "true", "retention_id": "1"}}
    private = {"project_id": 2, "name": "private", "metadata": {"public": "false"}}
    made = {"creation_time": "2025-01-01T00:00:00Z"}
    settings = {
        "auth_mode": "db_auth",
        "read_only": False,
        "token_expiration": 30,
        "robot_name_prefix": "robot$",
    }
    robot = {"id": 7, "name": ROBOT, "level": "project", "disable": False, "expires_at": -1}
    hub = {"id": 3, "name": "hub", "url": "https://hub.example", "type": "harbor", "insecure": False}
    return {
        "/projects": [library | made, private | made],
        "/projects/library/repositories": [
            {"name": "library/web", "artifact_count": 2},
            {"name": "library/a/b", "artifact_count": 1},
        ],
        "/projects/private/repositories": [{"name": "private/app", "artifact_count": 1}],
        "/projects/library/repositories/web/artifacts": [artifact(LAYER, "1", "latest"), artifact(OTHER)],
        "/projects/library/repositories/a/b/artifacts": [artifact(LAYER, "v1")],
        "/projects/private/repositories/app/artifacts": [artifact(OTHER, "2")],
        "/projects/1/members": [{"entity_name": "admin", "entity_type": "u", "role_id": 1}],
        "/projects/2/members": [{"entity_name": "mira", "entity_type": "u", "role_id": 2}],
        "/users": [{"username": "mira", "user_id": 3, "sysadmin_flag": False}],
        "/robots": [],
        "/robots?q=Level=project,ProjectID=1": [robot | {"permissions": [pulls]}],
        "/robots?q=Level=project,ProjectID=2": [],
        "/quotas": [
            {"ref": {"name": "library"}, "hard": {"storage": -1}, "used": {"storage": 5}},
            {"ref": {"name": "private"}, "hard": {"storage": 1000}, "used": {"storage": 5}},
        ],
        "/retentions/1": {"id": 1, "algorithm": "or", "rules": [{"template": "latestPushedK"}]}
        | copy.deepcopy(_TRIGGER),
        "/projects/library/immutabletagrules": [{"id": 9, "disabled": False, "action": "immutable"}],
        "/projects/private/immutabletagrules": [],
        "/projects/library/webhook/policies": [
            {"id": 2, "name": "chat", "enabled": True, "targets": [{"auth_header": "webhook-secret-0"}]}
        ],
        "/projects/private/webhook/policies": [],
        "/projects/library/preheat/policies": [],
        "/projects/private/preheat/policies": [],
        "/schedules": [every_day],
        "/registries": [hub | {"credential": {"access_key": "k", "access_secret": "*****"}}],
        "/replication/policies": [rule],
        "/configurations": {name: {"value": value, "editable": True} for name, value in settings.items()},
    }


class UpgradedHarbor:
    """`version`, `schema`, `api`, `objects` (of Kubernetes, by kind and name) are what it is now."""

    def __init__(self) -> None:
        self.version, self.schema, self.dirty = OLD, 150, False
        self.api = contents()
        text = text_of("02-ha-documented").replace("v2.15.1", OLD)
        self.objects = {
            f"{each['kind']} {each['metadata']['name']}": each for each in yaml.safe_load_all(text)
        }
        self.secret("harbor-core")["tls.key"] = "the-token-key-of-before"
        self.logins = {ADMIN.user: ADMIN.password, ROBOT: "robot-secret-0"}
        self.sessions = {"cookie-of-before"}
        self.tokens: set[str] = set()
        self.registries_open = True
        """Whether a ping of another registry goes well."""
        self.refused: dict[str, int] = {}
        """Status by path, of what is refused."""
        self.forbidden: tuple[tuple[str, str], ...] = ()
        self.asked: list[str] = []

    def secret(self, name: str) -> dict[str, str]:
        return self.objects[f"Secret {name}"]["stringData"]

    def container(self, deployment: str) -> dict[str, Any]:
        return self.objects[f"Deployment {deployment}"]["spec"]["template"]["spec"]["containers"][0]

    def upgrade(self) -> None:
        """As it goes well: images, schema, what is new in it, and somebody who pushed meanwhile."""
        self.version, self.schema = NEW, 180
        text = json.dumps(self.objects).replace(OLD, NEW)
        self.objects = json.loads(text)
        self.api["/configurations"]["disabled_audit_log_event_types"] = {"value": "", "editable": True}
        self.api["/projects"][0]["metadata"]["auto_sbom_generation"] = "false"
        self.api["/schedules"].append(
            {"vendor_type": "EXECUTION_SWEEP", "vendor_id": 0, "cron": "0 0 * * * *"}
        )
        self.api["/retentions/1"]["trigger"]["references"]["job_id"] = 50
        pushed = self.api["/projects/private/repositories/app/artifacts"]
        pushed[:] = [artifact(LAYER, "2", "3", pushed="2099-01-01T00:00:00.000Z"), artifact(OTHER)]
        self.secret("harbor-registry-htpasswd")["REGISTRY_HTPASSWD"] = "another salt"

    def run(self, act: str, *words: str) -> int:
        """`harbor-verify baseline ACT before.json …`: the exit code."""
        return command.main([act, "before.json", *words], ENVIRONMENT)

    def check(self, capsys: Any, *words: str) -> tuple[int, dict[str, Any]]:
        """(exit code, what was found)."""
        capsys.readouterr()
        code = self.run("check", "--json", *words)
        return code, json.loads(capsys.readouterr().out)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """It has one address for the length of the block."""
        with LocalServer(("127.0.0.1", 0), self._handler()).running() as server:
            self.url = server.url
            yield

    @contextmanager
    def reached(self) -> Iterator[Target]:
        """The suite's own target for it, while it is running."""
        with ExitStack() as stack:
            objects = yaml.dump_all(copy.deepcopy(list(self.objects.values())), Dumper=yaml.CSafeDumper)
            kubernetes = stack.enter_context(small_cluster(objects, forbidden=self.forbidden))
            access = SimpleNamespace(
                kubernetes=kubernetes,
                namespace=NAMESPACE,
                url=self.url,
                credentials=ADMIN,
                may_disrupt=False,
            )
            settings = SimpleNamespace(
                timeouts_s=(2, 5),
                verify=True,
                database_address=None,
                session_store_address=None,
                request_timeout_s=5,
            )
            target = Target(access, discover(kubernetes, NAMESPACE), settings)

            def link(name: str) -> HttpClient:
                client = HttpClient(name, self.url, timeouts_s=(2, 5))
                stack.callback(client.close)
                return client

            vars(target).update(
                front_door=target.profile.api(link("front-door")),
                web=lambda replica: target.profile.api(link(replica.name)),
                administrator=lambda replica: Session(ADMIN.user, _OF_THE_RUN),
                registry=lambda replica, login: Registry(link(replica.name), lambda *_: {}),
                sql=self._sql,
            )
            yield target

    @contextmanager
    def _sql(self) -> Iterator[Any]:
        yield SimpleNamespace(rows=lambda query: [(self.schema, self.dirty)])

    def _handler(harbor) -> type[QuietHandler]:
        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                path = unquote(unquote(url.path)).removeprefix(API)
                harbor.asked.append(path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                if path in harbor.refused:
                    self._answer(harbor.refused[path], {"errors": [{"message": "no"}]})
                elif path == "/":
                    self._answer(200, {})
                elif path == "/v2/":
                    bearer = (self.headers["Authorization"] or "").removeprefix("Bearer ")
                    self._answer(200 if bearer in harbor.tokens or self._user() else 401, {})
                elif path == "/systeminfo":
                    self._answer(200, {"harbor_version": harbor.version, "auth_mode": "db_auth"})
                elif path == "/service/token":
                    self._answer(200, {"token": token("key-1")})
                elif path == "/users/current":
                    user = self._user()
                    self._answer(200 if user else 401, {"username": user})
                elif not self._user():
                    self._answer(401, {})
                else:
                    self._list(path, query)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(200 if harbor.registries_open else 500, {})

            def _list(self, path: str, query: dict[str, str]) -> None:
                key = f"{path}?q={query['q']}" if "q" in query else path
                found = harbor.api.get(key)
                if isinstance(found, list):
                    size, number = int(query["page_size"]), int(query["page"])
                    found = found[size * (number - 1) : size * number]
                self._answer(404 if found is None else 200, found)

            def _user(self) -> str | None:
                cookie = (self.headers["Cookie"] or "").partition("=")[2]
                if cookie in harbor.sessions | {_OF_THE_RUN}:
                    return ADMIN.user
                word = (self.headers["Authorization"] or "").removeprefix("Basic ")
                user, _, password = base64.b64decode(word + "==").decode("latin-1").partition(":")
                return user if user and harbor.logins.get(user) == password else None

            def _answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler


@contextmanager
def running(monkeypatch: Any, folder: Any) -> Iterator[UpgradedHarbor]:
    """One that the command reaches, in a folder of its own."""
    harbor = UpgradedHarbor()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(reached.providers, "provide", lambda settings: None)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    monkeypatch.setattr(fingerprints, "_COST", 2)
    with harbor.listening(), ExitStack() as stack:
        monkeypatch.setattr(reached, "reach", lambda access, settings: stack.enter_context(harbor.reached()))
        yield harbor


def token(key: str) -> str:
    parts = ({"kid": key}, {"exp": 4102444800})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts), "s"])
