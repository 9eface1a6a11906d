"""Harbor's own API, whatever its generation: what checks may ask of it. Each profile brings the client that does it."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from harbor_verify.clients.http import HttpClient, expect, summary
from harbor_verify.errors import UnexpectedAnswer


@dataclass(frozen=True)
class Credentials:
    """A Harbor user. The password is not shown."""

    user: str
    password: str

    @property
    def login(self) -> str:
        """Both together as HTTP's Basic authentication sends them: as UTF-8 (RFC 7617, charset), which Harbor reads."""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return f"Credentials({self.user!r}, …)"


@dataclass(frozen=True)
class Session:
    """A session as its owner's browser holds it. The cookie is not shown: it is as good as the password."""

    user: str
    cookie: str

    def __repr__(self) -> str:
        return f"Session({self.user!r}, …)"


@dataclass(frozen=True)
class Project:
    """A project, by both of what APIs know it by."""

    name: str
    id: int
    upstream_id: int = 0
    """Of a proxy cache: by what the API knows the registry that its images come from when they are asked for."""

    @property
    def is_proxy(self) -> bool:
        """What is in it belongs to another registry."""
        return bool(self.upstream_id)


VALUE_PROJECT = r"verify-([0-9a-f]{12})-v"
"""What a project is called that is a value itself, where a generation of Harbor has nothing smaller to write."""


def value_project(value: str) -> str:
    """The name of that project."""
    return f"verify-{value}-v"


class Harbor(ABC):
    """Harbor's API at one place: one web replica, or the front door.

    All methods but `close` raise AnswerError: UnexpectedAnswer or NoAnswer. `credentials` go with the request as Basic
    authentication; None is anonymous.
    """

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    @property
    def name(self) -> str:
        return self.http.name

    @property
    def uid(self) -> str:
        """Of the pod that it is; empty for the front door."""
        return self.http.uid

    def close(self) -> None:
        self.http.close()

    @abstractmethod
    def require_page(self) -> None:
        """GET /: Harbor's page, or the way to it (a redirect)."""

    @abstractmethod
    def sign_in(self, credentials: Credentials) -> Session:
        """Sign in at the form. That it was accepted is not proven until `whoami` says so.

        UnexpectedAnswer has status 401 where the password was refused.
        """

    @abstractmethod
    def wrong_sign_in(self, credentials: Credentials) -> Session | None:
        """Sign in with what must be refused: the session of the cookie that came all the same, if one did.

        UnexpectedAnswer for any status but 401.
        """

    @abstractmethod
    def whoami(self, session: Session) -> str | None:
        """The user that a session belongs to, or None when it is unknown here."""

    @abstractmethod
    def whoami_by_password(self, credentials: Credentials) -> str | None:
        """The user that Basic authentication makes one here, or None: nobody."""

    @abstractmethod
    def is_administrator(self, credentials: Credentials) -> bool | None:
        """Whether a user whom Harbor knows is an administrator of its whole system; None: it does not tell."""

    @abstractmethod
    def sign_out(self, session: Session) -> None: ...

    @abstractmethod
    def version(self, login: Credentials | Session) -> str:
        """What Harbor calls itself; empty where it does not tell."""

    def is_read_only(self, credentials: Credentials) -> bool:
        """Whether it was told to take neither pushes nor changes; not every generation can be. Raises AnswerError."""
        return False

    @abstractmethod
    def keeps_unused_sessions_s(self, credentials: Credentials) -> float | None:
        """For how long a session lives from its last use; None: it does not tell. Raises AnswerError."""

    @abstractmethod
    def authentication_mode(self) -> str:
        """Where users come from: db_auth, ldap_auth."""

    @abstractmethod
    def create_user(self, user: Credentials, credentials: Credentials, *, run_id: str) -> None:
        """Make an ordinary user; `credentials` are an administrator's."""

    @abstractmethod
    def users(self, name: str, credentials: Credentials) -> dict[str, int]:
        """Ids of the users whose name contains `name`, by name."""

    @abstractmethod
    def delete_user(self, user_id: int, credentials: Credentials) -> None:
        """Delete a user; that it is gone already is well."""

    @abstractmethod
    def create_project(self, name: str, credentials: Credentials, *, public: bool = False) -> None:
        """Make a project. UnexpectedAnswer has status 401 when not signed in, 409 when the name is taken."""

    @abstractmethod
    def projects(self, name: str, credentials: Credentials | None) -> dict[str, Project]:
        """The projects whose name contains `name`, by name, as far as one may see them."""

    @abstractmethod
    def birth_marks(self, credentials: Credentials | None) -> frozenset[str]:
        """What no other Harbor has: number, name and moment of making of the projects of the first page.

        The first project is made when Harbor is installed. Empty where there is no project.
        """

    def may_add_values(self) -> bool:
        """Whether an administrator of a project may write values in or beside it, and not the system's alone."""
        return True

    @abstractmethod
    def add_value(self, project: Project, value: str, credentials: Credentials) -> None:
        """Write a value of 12 hexadecimal digits that nobody has written before: something that is called so, in a
        project or beside it, and stays until `remove_value`.

        UnexpectedAnswer has status 409 when it is there.
        """

    @abstractmethod
    def values(self, project: Project, mark: str, credentials: Credentials) -> dict[str, int]:
        """The values that are there and begin with `mark`, each with the id to remove it by."""

    @abstractmethod
    def remove_value(self, value_id: int, credentials: Credentials) -> None:
        """Remove what stands for a value; that it is gone already is well."""

    @abstractmethod
    def add_member(self, project: Project, user: str, role: int, credentials: Credentials) -> None:
        """Make a user a member of a project; `role` is one of the profile's member_roles."""

    @abstractmethod
    def repositories(self, project: Project, credentials: Credentials | None) -> list[str]:
        """Names (project/name) of a project's repositories."""

    @abstractmethod
    def some_images(self, project: Project, credentials: Credentials, *, most: int) -> list[tuple[str, str]]:
        """(repository, tag or digest) of some images of a project, of as many repositories at most."""

    @abstractmethod
    def tags(self, repository: str, credentials: Credentials | None) -> dict[str, str]:
        """Digests of a repository's tags, by tag.

        Where there is no such repository it is {}, or UnexpectedAnswer has status 404.
        """

    def artifacts(self, repository: str, credentials: Credentials | None) -> Iterator[str]:
        """Digests of what a repository holds, as far as the API lists it; those that tags lead to at least."""
        yield from dict.fromkeys(self.tags(repository, credentials).values())

    def has_artifact(self, repository: str, digest: str, credentials: Credentials | None) -> bool:
        """Whether Harbor knows it (still)."""
        try:
            return digest in self.tags(repository, credentials).values()
        except UnexpectedAnswer as refused:
            if refused.status == 404:
                return False
            raise

    @abstractmethod
    def delete_tag(self, repository: str, tag: str, credentials: Credentials) -> None:
        """Delete the image that a tag leads to, and with it every tag of the same digest."""

    @abstractmethod
    def delete_repository(self, name: str, credentials: Credentials) -> None:
        """Delete a repository with all its tags; that it is gone already is well."""

    @abstractmethod
    def delete_project(self, project: Project, credentials: Credentials) -> None:
        """Delete a project, with its repositories first; that it is gone already is well."""

    @abstractmethod
    def symptoms(self) -> str:
        """What else can be seen when a login is refused: what a login stands on may be down, and answers the same."""


def marks_of(entries: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Of projects, as both APIs list them."""
    return frozenset(
        f"{each.get('project_id')} {each.get('name')} {made}"
        for each in entries
        if (made := each.get("creation_time"))
    )


def basic(credentials: Credentials | None) -> HTTPBasicAuth | None:
    """As `requests` takes it, which would send text as Latin-1."""
    return HTTPBasicAuth(credentials.user.encode(), credentials.password.encode()) if credentials else None


def by_session(
    session: Session, cookie: str
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """The same for who is signed in; for reading alone. `cookie` is the name that the generation gives it."""

    def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Cookie"] = f"{cookie}={session.cookie}"
        return request

    return authorise


def user_of(answer: requests.Response) -> str | None:
    """The user that an answer about the current user names; None for a 401."""
    if answer.status_code == 401:
        return None
    expect(answer, 200)
    try:
        return str(answer.json()["username"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise UnexpectedAnswer(f"{summary(answer)}: no user in it", status=200) from wrong
