"""Harbor 2.x's own API, and its traps.

- A 200 from /c/login proves nothing: with the session store away the cookie is worth nothing. Ask who one is.
- A request without a live session is answered with a new cookie, so the cookie to send is always given.
- Any session cookie, even a made-up one, brings the whole API under CSRF: what goes with Basic authentication never
  carries one.
- The health report is HTTP 200 whatever it says, and up to 10 s old.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import requests

from harbor_verify import clock
from harbor_verify.clients.capabilities import Collection, FormToken, Health, Queue, Quota, Robot, Worker
from harbor_verify.clients.harbor import (
    Credentials,
    Project,
    Session,
    basic,
    by_session,
    marks_of,
    user_of,
)
from harbor_verify.clients.http import document, expect, summary
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.profiles.harbor_2.beside import BesideTheRegistry
from harbor_verify.profiles.harbor_2.lists import API, PAGE

COOKIE = "sid"
_TOKEN_HEADER = "X-Harbor-CSRF-Token"
_ROBOT_MAY = {
    "repository": ("pull", "push"),
    "artifact": ("list",),
    "label": ("create", "list", "read", "delete"),
}
"""In its project: what CI systems and clients at work do (source: Harbor, robot accounts, project permissions)."""
_HARBORS_PAGE = re.compile(r"<title>[^<]*harbor|<harbor-app", re.IGNORECASE)


class Harbor2(BesideTheRegistry):
    """A core, or the front door. Has health reports, form tokens, quotas, robots, job logs and schedules, too."""

    def require_page(self) -> None:
        answer = self.http.get("/")
        if answer.is_redirect:
            return
        expect(answer, 200)
        if not _HARBORS_PAGE.search(answer.text):
            raise UnexpectedAnswer(f"{summary(answer)}, which is not Harbor's", status=200)

    def form_token(self) -> FormToken:
        """GET /c/login: a page that is not there, with a token and its cookies."""
        answer = self.http.get("/c/login")
        expect(answer, 200, 404)
        token = answer.headers.get(_TOKEN_HEADER, "")
        if not token:
            raise UnexpectedAnswer(
                f"{summary(answer)} without a header {_TOKEN_HEADER}", status=answer.status_code
            )
        return FormToken(token, "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies))

    def sign_in_with(self, token: FormToken, credentials: Credentials) -> Session:
        """POST /c/login with a token that this or another replica gave."""
        answer = expect(self._log_in(token, credentials), 200)
        cookie = answer.cookies.get(COOKIE)
        if not cookie:
            raise UnexpectedAnswer(f"{summary(answer)} without a cookie {COOKIE}", status=200)
        return Session(credentials.user, cookie)

    def sign_in(self, credentials: Credentials) -> Session:
        return self.sign_in_with(self.form_token(), credentials)

    def wrong_sign_in(self, credentials: Credentials) -> Session | None:
        token = self.form_token()
        answer = expect(self._log_in(token, credentials), 401)
        # The session that the form was asked for with must not have become anybody's.
        before = re.search(rf"\b{COOKIE}=([^;]+)", token.cookies)
        cookie = answer.cookies.get(COOKIE) or (before[1] if before else "")
        return Session(credentials.user, cookie) if cookie else None

    def whoami(self, session: Session) -> str | None:
        return user_of(
            self.http.get(f"{API}/users/current", headers={"Cookie": f"{COOKIE}={session.cookie}"})
        )

    def whoami_by_password(self, credentials: Credentials) -> str | None:
        return user_of(self.http.get(f"{API}/users/current", auth=basic(credentials)))

    def is_administrator(self, credentials: Credentials) -> bool | None:
        """By its own flag, or by a group of whoever knows the user (LDAP, OIDC)."""
        told = document(self._get("/users/current", credentials))
        flags = [told.get(name) for name in ("sysadmin_flag", "admin_role_in_auth")]
        return True if True in flags else None if None in flags else False

    def sign_out(self, session: Session) -> None:
        expect(self.http.get("/c/log_out", headers={"Cookie": f"{COOKIE}={session.cookie}"}), 200)

    def request_in_flight(self, session: Session, meanwhile: Callable[[], None]) -> bool:
        """POST of a project whose name nobody may take."""
        token = self.form_token()
        protection = [each for each in token.cookies.split("; ") if not each.startswith(f"{COOKIE}=")]

        def body() -> Iterator[bytes]:
            yield b'{"metadata": {}, '
            # By another connection: what is answered there, the first part of this one has long reached.
            self.whoami(session)
            meanwhile()
            yield b'"project_name": "-"}'

        headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join([f"{COOKIE}={session.cookie}", *protection]),
            _TOKEN_HEADER: token.token,
            **self._page(),
        }
        answer = expect(
            self.http.post(f"{API}/projects", data=body(), headers=headers), 400, 401, 403, 409, 422
        )
        if answer.status_code == 403 and "CSRF" in answer.text.upper():
            raise UnexpectedAnswer(summary(answer), status=403)
        return answer.status_code != 401

    def version(self, login: Credentials | Session) -> str:
        return str(self._told_to(login).get("harbor_version") or "")

    def is_read_only(self, credentials: Credentials) -> bool:
        return self._told_to(credentials).get("read_only") is True

    def keeps_unused_sessions_s(self, credentials: Credentials) -> float | None:
        minutes = self._setting("session_timeout", credentials)
        return 60.0 * minutes if isinstance(minutes, int) and minutes > 0 else None

    def _told_to(self, login: Credentials | Session) -> Mapping[str, Any]:
        """What it tells of itself to those who are signed in."""
        auth = by_session(login, COOKIE) if isinstance(login, Session) else basic(login)
        return document(expect(self.http.get(f"{API}/systeminfo", auth=auth), 200))

    def authentication_mode(self) -> str:
        return str(document(self._get("/systeminfo", None)).get("auth_mode", ""))

    def create_user(self, user: Credentials, credentials: Credentials, *, run_id: str) -> None:
        body = {
            "username": user.user,
            "email": f"{user.user}@harbor-verify.invalid",
            "password": user.password,
            "realname": run_id,
            "comment": "",
        }
        expect(self.http.post(f"{API}/users", json=body, auth=basic(credentials)), 201)

    def users(self, name: str, credentials: Credentials) -> dict[str, int]:
        entries = self._all("/users/search", {"username": name}, credentials)
        return {entry["username"]: entry["user_id"] for entry in entries}

    def delete_user(self, user_id: int, credentials: Credentials) -> None:
        expect(self.http.delete(f"{API}/users/{user_id}", auth=basic(credentials)), 200, 404)

    def create_project(self, name: str, credentials: Credentials, *, public: bool = False) -> None:
        # Without a limit of its own: that of others, which a layer may be too large for, is not what is verified.
        body = {"project_name": name, "metadata": {"public": str(public).lower()}, "storage_limit": -1}
        expect(self.http.post(f"{API}/projects", json=body, auth=basic(credentials)), 201)

    def projects(self, name: str, credentials: Credentials | None) -> dict[str, Project]:
        entries = self._all("/projects", {"name": name}, credentials)
        return {
            entry["name"]: Project(entry["name"], entry["project_id"], int(entry.get("registry_id") or 0))
            for entry in entries
        }

    def birth_marks(self, credentials: Credentials | None) -> frozenset[str]:
        answer = self.http.get(
            f"{API}/projects", params={"page": 1, "page_size": PAGE}, auth=basic(credentials)
        )
        return marks_of(document(expect(answer, 200)) or [])

    def registries(self, administrator: Session) -> list[str] | None:
        """GET /registries: to list them it decrypts what is stored of each."""
        auth = by_session(administrator, COOKIE)
        answer = self.http.get(f"{API}/registries", params={"page_size": PAGE}, auth=auth)
        if answer.status_code in (403, 404):
            return None
        return [str(entry.get("name")) for entry in document(expect(answer, 200)) or []]

    def ping_registry(self, registry_id: int, credentials: Credentials) -> None:
        """POST /registries/ping: Harbor decrypts what it has stored of one, and signs in there with it."""
        body = {"id": registry_id}
        expect(self.http.post(f"{API}/registries/ping", json=body, auth=basic(credentials)), 200)

    def one(self, path: str, credentials: Credentials) -> Any:
        """One document of the API, by its path below /api/v2.0."""
        return document(self._get(path, credentials))

    def add_value(self, project: Project, value: str, credentials: Credentials) -> None:
        """A label of the project: one row of the database, and nothing else."""
        body = {"name": value, "scope": "p", "project_id": project.id, "description": "made by harbor-verify"}
        expect(self.http.post(f"{API}/labels", json=body, auth=basic(credentials)), 201)

    def values(self, project: Project, mark: str, credentials: Credentials) -> dict[str, int]:
        query = {"scope": "p", "project_id": project.id, "name": mark}
        entries = self._all("/labels", query, credentials)
        return {entry["name"]: entry["id"] for entry in entries if entry["name"].startswith(mark)}

    def remove_value(self, value_id: int, credentials: Credentials) -> None:
        expect(self.http.delete(f"{API}/labels/{value_id}", auth=basic(credentials)), 200, 404)

    def add_member(self, project: Project, user: str, role: int, credentials: Credentials) -> None:
        body = {"role_id": role, "member_user": {"username": user}}
        path = f"{API}/projects/{project.id}/members"
        expect(self.http.post(path, json=body, auth=basic(credentials)), 201)

    def repositories(self, project: Project, credentials: Credentials | None) -> list[str]:
        """Those with something in them: an empty one stays listed."""
        return [
            entry["name"] for entry in self._repositories(project, credentials) if entry["artifact_count"]
        ]

    def some_images(self, project: Project, credentials: Credentials, *, most: int) -> list[tuple[str, str]]:
        listed = self.http.get(
            f"{API}/projects/{project.name}/repositories",
            params={"page_size": most, "sort": "-update_time"},
            auth=basic(credentials),
        )
        found = []
        for entry in document(expect(listed, 200)) or []:
            answer = self.http.get(
                f"{API}{_path(entry['name'])}/artifacts", params={"page_size": 1}, auth=basic(credentials)
            )
            found += [(entry["name"], each["digest"]) for each in document(expect(answer, 200)) or []]
        return found

    def tags(self, repository: str, credentials: Credentials | None) -> dict[str, str]:
        """UnexpectedAnswer has status 404 when there is no such repository."""
        artifacts = self._all(f"{_path(repository)}/artifacts", {"with_tag": "true"}, credentials)
        return {tag["name"]: artifact["digest"] for artifact in artifacts for tag in artifact["tags"] or ()}

    def artifacts(self, repository: str, credentials: Credentials | None) -> Iterator[str]:
        """A page at a time; of an index its own digest only."""
        for artifact in self.each_of(f"{_path(repository)}/artifacts", {}, credentials):
            yield str(artifact["digest"])

    def artifacts_with_tags(self, repository: str, credentials: Credentials | None) -> Iterator[Any]:
        """As the API shows them, a page at a time."""
        return self.each_of(f"{_path(repository)}/artifacts", {"with_tag": "true"}, credentials)

    def has_artifact(self, repository: str, digest: str, credentials: Credentials | None) -> bool:
        path = f"{API}{_path(repository)}/artifacts/{digest}"
        return expect(self.http.get(path, auth=basic(credentials)), 200, 404).status_code == 200

    def delete_tag(self, repository: str, tag: str, credentials: Credentials) -> None:
        expect(self.http.delete(f"{API}{_path(repository)}/artifacts/{tag}", auth=basic(credentials)), 200)

    def delete_repository(self, name: str, credentials: Credentials) -> None:
        expect(self.http.delete(f"{API}{_path(name)}", auth=basic(credentials)), 200, 404)

    def delete_project(self, project: Project, credentials: Credentials) -> None:
        for repository in self._repositories(project, credentials):
            self.delete_repository(repository["name"], credentials)
        expect(self.http.delete(f"{API}/projects/{project.id}", auth=basic(credentials)), 200, 404)

    def symptoms(self) -> str:
        symptoms = []
        try:
            report = self.health()
            unwell = [f"{name} {status}" for name, status in report.components.items() if status != "healthy"]
            symptoms.append(f"its health report (up to 10 s old): {', '.join(unwell) or report.status}")
        except AnswerError as error:
            symptoms.append(f"its health report: {error}")
        try:
            self._get("/projects?page_size=1", None)
            symptoms.append("database: answers")
        except AnswerError as error:
            symptoms.append(f"database: {error}")
        return "; ".join(symptoms)

    def health(self) -> Health:
        """GET /health. What is wrong with a component follows its status."""
        answer = self._get("/health", None)
        try:
            report = document(answer)
            components = {
                str(each["name"]): str(each["status"])
                + (f": {each['error']}" if each.get("error") and each["status"] != "healthy" else "")
                for each in report["components"]
            }
            return Health(str(report["status"]), components)
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no health report", status=200) from wrong

    def quotas(self, credentials: Credentials) -> list[Quota]:
        """GET /quotas. What is left of a project that is gone has no name, and is nobody's."""
        try:
            return [
                Quota(
                    str(entry["ref"]["name"]),
                    int(entry["hard"]["storage"]),
                    int((entry.get("used") or {}).get("storage", 0)),
                )
                for entry in self._all("/quotas", {"reference": "project"}, credentials)
                if (entry.get("ref") or {}).get("name")
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(f"GET {API}/quotas: no list of quotas: {wrong!r}", status=200) from wrong

    def keeps_quotas(self, credentials: Credentials) -> bool:
        return self._setting("quota_per_project_enable", credentials) is not False

    def used_bytes(self, project: Project, credentials: Credentials) -> int:
        answer = self._get(f"/projects/{project.id}/summary", credentials)
        try:
            return int(document(answer)["quota"]["used"]["storage"])
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no quota of {project.name}", status=200) from wrong

    def artifact_bytes(self, repository: str, digest: str, credentials: Credentials) -> int:
        answer = self._get(f"{_path(repository)}/artifacts/{digest}", credentials)
        try:
            return int(document(answer)["size"])
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no size of {digest}", status=200) from wrong

    def create_robot(self, name: str, project: Project, credentials: Credentials) -> Robot:
        allowed = [
            {"resource": resource, "action": action}
            for resource, actions in _ROBOT_MAY.items()
            for action in actions
        ]
        body = {
            "name": name,
            "level": "project",
            "duration": 1,
            "description": "made by harbor-verify",
            "permissions": [{"kind": "project", "namespace": project.name, "access": allowed}],
        }
        made = document(expect(self.http.post(f"{API}/robots", json=body, auth=basic(credentials)), 201))
        return Robot(int(made["id"]), Credentials(made["name"], made["secret"]))

    def knows_robot(self, robot_id: int, credentials: Credentials) -> bool:
        answer = self.http.get(f"{API}/robots/{robot_id}", auth=basic(credentials))
        return expect(answer, 200, 404).status_code == 200

    def delete_robot(self, robot_id: int, credentials: Credentials) -> None:
        expect(self.http.delete(f"{API}/robots/{robot_id}", auth=basic(credentials)), 200, 404)

    def newest_ended_job(self, credentials: Credentials, *, within_s: float) -> int | None:
        answer = self._get("/system/gc?page=1&page_size=20&sort=-creation_time", credentials)
        oldest = clock.now() - timedelta(seconds=within_s)
        try:
            ended = {
                int(entry["id"]): datetime.fromisoformat(entry["update_time"])
                for entry in document(answer) or ()
                if entry["job_status"] in ("Success", "Error", "Stopped")
            }
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no list of executions", status=200) from wrong
        return max((id for id, at in ended.items() if at >= oldest), default=None)

    def start_harmless_job(self, credentials: Credentials) -> int:
        """A garbage collection that collects nothing (dry run)."""
        return self._collect(credentials, dry_run=True)

    def start_collection(self, credentials: Credentials) -> int:
        return self._collect(credentials, dry_run=False)

    def _collect(self, credentials: Credentials, *, dry_run: bool) -> int:
        asked = {"dry_run": dry_run, "workers": 1} | ({} if dry_run else {"delete_untagged": False})
        body = {"parameters": asked, "schedule": {"type": "Manual"}}
        answer = self.http.post(f"{API}/system/gc/schedule", json=body, auth=basic(credentials))
        return int(expect(answer, 201).headers["Location"].rpartition("/")[2])

    def job_status(self, job_id: int, credentials: Credentials) -> str:
        return str(document(self._get(f"/system/gc/{job_id}", credentials)).get("job_status", ""))

    def job_log(self, job_id: int, administrator: Session) -> str:
        auth = by_session(administrator, COOKIE)
        return expect(self.http.get(f"{API}/system/gc/{job_id}/log", auth=auth), 200).text

    def queues(self, credentials: Credentials) -> list[Queue]:
        answer = self._get("/jobservice/queues", credentials)
        try:
            return [
                Queue(
                    str(entry["job_type"]),
                    int(entry.get("count") or 0),
                    int(entry.get("latency") or 0),
                    bool(entry.get("paused")),
                )
                for entry in document(answer) or ()
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no list of queues", status=200) from wrong

    def workers(self, credentials: Credentials) -> list[Worker]:
        """GET /jobservice/pools/all/workers."""
        answer = self._get("/jobservice/pools/all/workers", credentials)
        try:
            return [
                Worker(
                    str(entry["pool_id"]),
                    str(entry.get("job_name") or ""),
                    str(entry.get("job_id") or ""),
                    datetime.fromisoformat(entry["start_at"]) if entry.get("start_at") else None,
                )
                for entry in document(answer) or ()
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no list of workers", status=200) from wrong

    def collections(self, credentials: Credentials) -> list[Collection]:
        answer = self._get(f"/system/gc?page=1&page_size={PAGE}&sort=-creation_time", credentials)
        try:
            found = [_collection(entry) for entry in document(answer) or ()]
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no list of executions", status=200) from wrong
        return sorted(found, key=lambda each: each.id, reverse=True)

    def founded(self, credentials: Credentials) -> datetime | None:
        answer = self._get("/projects?page=1&page_size=1&sort=creation_time", credentials)
        try:
            return min(
                (datetime.fromisoformat(each["creation_time"]) for each in document(answer) or ()),
                default=None,
            )
        except (ValueError, KeyError, TypeError) as wrong:
            raise UnexpectedAnswer(f"{summary(answer)}: no list of projects", status=200) from wrong

    def _log_in(self, token: FormToken, credentials: Credentials) -> requests.Response:
        return self.http.post(
            "/c/login",
            data={"principal": credentials.user, "password": credentials.password},
            headers={_TOKEN_HEADER: token.token, "Cookie": token.cookies, **self._page()},
        )

    def _page(self) -> dict[str, str]:
        """Where a form is sent from, as browsers tell: gorilla/csrf 1.7.3 (Harbor 2.12.3) refuses who does not."""
        return {"Origin": self.http.origin, "Referer": f"{self.http.origin}/"}

    def _repositories(self, project: Project, credentials: Credentials | None) -> list[Any]:
        return self._all(f"/projects/{project.name}/repositories", {}, credentials)

    def _setting(self, name: str, credentials: Credentials) -> Any:
        """Of what an administrator sets; None where this Harbor knows no such setting."""
        return (document(self._get("/configurations", credentials)).get(name) or {}).get("value")

    def _get(self, path: str, credentials: Credentials | None) -> requests.Response:
        return expect(self.http.get(f"{API}{path}", auth=basic(credentials)), 200)

    def _all(self, path: str, query: dict[str, Any], credentials: Credentials | None) -> list[Any]:
        """Every entry of a list that comes in pages."""
        return list(self.each_of(path, query, credentials))


def _collection(entry: dict[str, Any]) -> Collection:
    told = json.loads(entry.get("job_parameters") or "{}")
    freed = told.get("freed_space")
    return Collection(
        int(entry["id"]),
        str(entry["job_status"]),
        datetime.fromisoformat(entry["update_time"]),
        bool(told.get("dry_run")),
        None if freed is None else int(freed),
    )


def _path(repository: str) -> str:
    """Of project/a/b: /projects/project/repositories/a%252Fb, encoded twice as its API asks for."""
    project, _, name = repository.partition("/")
    return f"/projects/{project}/repositories/{quote(quote(name, safe=''), safe='')}"
