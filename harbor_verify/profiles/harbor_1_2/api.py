"""Harbor 1.2's own API, and its traps.

- A 200 from /login proves nothing: with the session store away the cookie is worth nothing. Ask who one is.
- Wrong Basic credentials are not refused: the request goes on as anonymous. Ask who one is.
- A request without a live session is answered with a new cookie, so the cookie to send is always given.
"""

import re
from collections.abc import Iterator
from typing import Any

from harbor_verify.clients.harbor import (
    VALUE_PROJECT,
    Credentials,
    Harbor,
    Project,
    Session,
    basic,
    marks_of,
    user_of,
    value_project,
)
from harbor_verify.clients.http import document, expect, summary
from harbor_verify.errors import AnswerError, UnexpectedAnswer

COOKIE = "beegosessionID"
_PAGE = 100
_VALUE_PROJECT = re.compile(VALUE_PROJECT)
_TITLE = re.compile(r"<title>[^<]*harbor", re.IGNORECASE)


class Harbor12(Harbor):
    """A ui, or the front door."""

    def require_page(self) -> None:
        """GET /: Harbor's page, or the way to it (a redirect). Raises UnexpectedAnswer, NoAnswer."""
        answer = self.http.get("/")
        if answer.is_redirect:
            return
        expect(answer, 200)
        # A page may have been given another title, and a page that is a plain file sets no cookie.
        if not _TITLE.search(answer.text) and COOKIE not in answer.cookies:
            raise UnexpectedAnswer(f"{summary(answer)}, which is not Harbor's", status=200)

    def sign_in(self, credentials: Credentials) -> Session:
        """POST /login. That it was accepted is not proven until `whoami` says so.

        Raises UnexpectedAnswer (401: refused), NoAnswer.
        """
        answer = self.http.post(
            "/login", data={"principal": credentials.user, "password": credentials.password}
        )
        expect(answer, 200)
        cookie = answer.cookies.get(COOKIE)
        if not cookie:
            raise UnexpectedAnswer(f"{summary(answer)} without a cookie {COOKIE}", status=200)
        return Session(credentials.user, cookie)

    def wrong_sign_in(self, credentials: Credentials) -> Session | None:
        """POST /login with what must be refused: the session of the cookie that came all the same, if one did.

        Raises UnexpectedAnswer for any status but 401, NoAnswer.
        """
        answer = self.http.post(
            "/login", data={"principal": credentials.user, "password": credentials.password}
        )
        cookie = expect(answer, 401).cookies.get(COOKIE)
        return Session(credentials.user, cookie) if cookie else None

    def whoami(self, session: Session) -> str | None:
        """The user that a session belongs to, or None when it is unknown here. Raises AnswerError."""
        answer = self.http.get("/api/users/current", headers={"Cookie": f"{COOKIE}={session.cookie}"})
        return user_of(answer)

    def whoami_by_password(self, credentials: Credentials) -> str | None:
        """The user that Basic authentication makes one here, or None: nobody. Raises AnswerError."""
        return user_of(self.http.get("/api/users/current", auth=basic(credentials)))

    def is_administrator(self, credentials: Credentials) -> bool | None:
        """By has_admin_role, a number. Raises AnswerError."""
        answer = expect(self.http.get("/api/users/current", auth=basic(credentials)), 200)
        role = document(answer).get("has_admin_role")
        return None if role is None else bool(role)

    def sign_out(self, session: Session) -> None:
        """GET /log_out. Raises AnswerError."""
        expect(self.http.get("/log_out", headers={"Cookie": f"{COOKIE}={session.cookie}"}), 200)

    def version(self, login: Credentials | Session) -> str:
        """It tells everybody."""
        return str(document(expect(self.http.get("/api/systeminfo"), 200)).get("harbor_version", ""))

    def keeps_unused_sessions_s(self, credentials: Credentials) -> float | None:
        """An hour, and nothing sets it."""
        return 3600.0

    def authentication_mode(self) -> str:
        """Where users come from: db_auth, ldap_auth. Raises AnswerError."""
        return str(document(expect(self.http.get("/api/systeminfo"), 200)).get("auth_mode", ""))

    def create_user(self, user: Credentials, credentials: Credentials, *, run_id: str) -> None:
        """Make an ordinary user; `credentials` are an administrator's. Raises AnswerError."""
        body = {
            "username": user.user,
            "email": f"{user.user}@harbor-verify.invalid",
            "password": user.password,
            "realname": run_id,
            "comment": "",
        }
        expect(self.http.post("/api/users", json=body, auth=basic(credentials)), 201)

    def users(self, name: str, credentials: Credentials) -> dict[str, int]:
        """Ids of the users whose name contains `name`, by name. Raises AnswerError."""
        entries = self._all("/api/users", {"username": name}, credentials)
        return {entry["username"]: entry["user_id"] for entry in entries}

    def delete_user(self, user_id: int, credentials: Credentials) -> None:
        """Delete a user; that it is gone already is well. Raises AnswerError."""
        expect(self.http.delete(f"/api/users/{user_id}", auth=basic(credentials)), 200, 404)

    def create_project(self, name: str, credentials: Credentials, *, public: bool = False) -> None:
        body = {"project_name": name, "public": int(public)}
        expect(self.http.post("/api/projects", json=body, auth=basic(credentials)), 201)

    def projects(self, name: str, credentials: Credentials | None) -> dict[str, Project]:
        entries = self._all("/api/projects", {"name": name}, credentials)
        return {entry["name"]: Project(entry["name"], entry["project_id"]) for entry in entries}

    def birth_marks(self, credentials: Credentials | None) -> frozenset[str]:
        answer = self.http.get(
            "/api/projects", params={"page": 1, "page_size": _PAGE}, auth=basic(credentials)
        )
        return marks_of(document(expect(answer, 200)) or [])

    def may_add_values(self) -> bool:
        """Whether everybody may make a project. Raises AnswerError."""
        told = document(expect(self.http.get("/api/systeminfo"), 200))
        return str(told.get("project_creation_restriction", "")) == "everyone"

    def add_value(self, project: Project, value: str, credentials: Credentials) -> None:
        """A project beside the given one, for it knows nothing smaller that has a name of one's own. The mark that
        they begin with stands in the ledger. Raises AnswerError.
        """
        self.create_project(value_project(value), credentials)

    def values(self, project: Project, mark: str, credentials: Credentials) -> dict[str, int]:
        """Raises AnswerError."""
        written = self.projects(f"verify-{mark}", credentials).values()
        names = [(_VALUE_PROJECT.fullmatch(each.name), each.id) for each in written]
        return {name[1]: number for name, number in names if name and name[1].startswith(mark)}

    def remove_value(self, value_id: int, credentials: Credentials) -> None:
        """That it is gone already is well. Raises AnswerError."""
        expect(self.http.delete(f"/api/projects/{value_id}", auth=basic(credentials)), 200, 404)

    def add_member(self, project: Project, user: str, role: int, credentials: Credentials) -> None:
        """Make a user a member of a project: role 1 administers, 2 develops, 3 is a guest. Raises AnswerError."""
        body = {"username": user, "roles": [role]}
        expect(
            self.http.post(f"/api/projects/{project.id}/members", json=body, auth=basic(credentials)),
            200,
            201,
        )

    def repositories(self, project: Project, credentials: Credentials | None) -> list[str]:
        """Names (project/name) of a project's repositories. Raises AnswerError."""
        entries = self._all("/api/repositories", {"project_id": project.id}, credentials)
        return [entry["name"] if isinstance(entry, dict) else entry for entry in entries]

    def some_images(self, project: Project, credentials: Credentials, *, most: int) -> list[tuple[str, str]]:
        names = self.repositories(project, credentials)[:most]
        return [(name, tag) for name in names for tag in list(self.tags(name, credentials))[:1]]

    def tags(self, repository: str, credentials: Credentials | None) -> dict[str, str]:
        """Digests of a repository's tags, by tag; {} when there is no such repository. Raises AnswerError."""
        auth = basic(credentials)
        answer = expect(self.http.get(f"/api/repositories/{repository}/tags", auth=auth), 200)
        return {entry["name"]: entry["digest"] for entry in document(answer) or []}

    def delete_tag(self, repository: str, tag: str, credentials: Credentials) -> None:
        """Delete a tag, and with it every tag of the same digest. Raises AnswerError."""
        expect(self.http.delete(f"/api/repositories/{repository}/tags/{tag}", auth=basic(credentials)), 200)

    def delete_repository(self, name: str, credentials: Credentials) -> None:
        """Delete a repository with all its tags; that it is gone already is well. Raises AnswerError."""
        expect(self.http.delete(f"/api/repositories/{name}", auth=basic(credentials)), 200, 404)

    def delete_project(self, project: Project, credentials: Credentials) -> None:
        """Delete a project, with its repositories first; that it is gone already is well. Raises AnswerError."""
        for repository in self.repositories(project, credentials):
            self.delete_repository(repository, credentials)
        expect(self.http.delete(f"/api/projects/{project.id}", auth=basic(credentials)), 200, 404)

    def symptoms(self) -> str:
        """What else can be seen when a login is refused: a dead database or adminserver answers the same 401."""
        symptoms = []
        for part, path in (("adminserver", "/api/systeminfo"), ("database", "/api/projects?page_size=1")):
            try:
                answer = self.http.get(path)
            except AnswerError as error:
                symptoms.append(f"{part}: {error}")
            else:
                works = answer.status_code == 200
                symptoms.append(f"{part}: {'answers' if works else summary(answer)}")
        return "; ".join(symptoms)

    def one(self, path: str, credentials: Credentials) -> Any:
        """One document of the API. Raises AnswerError."""
        return document(expect(self.http.get(path, auth=basic(credentials)), 200))

    def each_of(self, path: str, query: dict[str, Any], credentials: Credentials | None) -> Iterator[Any]:
        """The entries of a list that comes in pages, a page at a time. Raises AnswerError."""
        number = 1
        while True:
            page = {**query, "page": number, "page_size": _PAGE}
            batch = document(expect(self.http.get(path, params=page, auth=basic(credentials)), 200)) or []
            yield from batch
            if len(batch) < _PAGE:
                return
            number += 1

    def _all(self, path: str, query: dict[str, Any], credentials: Credentials | None) -> list[Any]:
        """Every entry of a list that comes in pages."""
        return list(self.each_of(path, query, credentials))
