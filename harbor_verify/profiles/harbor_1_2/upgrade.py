"""What Harbor 1.2 holds, as its API lists it, and what must not be made anew.

Not listed: replication (targets and policies), whose answers nobody has recorded.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.model.upgrades import Entry, Item, Listing, Lockout, Owners, Upgrade
from harbor_verify.profiles.harbor_1_2.api import Harbor12

_KEY = "passwords of other registries, which are encrypted with it, cannot be read any more. Put the former one back"


class _Lists:
    def __init__(self, api: Harbor12, credentials: Credentials) -> None:
        self._api, self._credentials = api, credentials
        self._below = Owners().below

    def all(self) -> Mapping[str, Listing]:
        return {
            "projects": self.projects,
            "images": self.images,
            "members": self.members,
            "users": self.users,
            "settings": self.settings,
        }

    def projects(self) -> Iterator[Item]:
        for each in self._projects():
            yield Entry(each["name"], {"id": each["project_id"], "public": bool(each.get("public"))})

    def images(self) -> Iterator[Item]:
        def tags_of(repository: str) -> Iterator[Item]:
            if tags := self._api.tags(repository, self._credentials):
                yield Entry(repository, {"tags": tags, "untagged": []})

        def of(project: Any) -> Iterator[Item]:
            query = {"project_id": project["project_id"]}
            listed = self._api.each_of("/api/repositories", query, self._credentials)
            names = (each["name"] if isinstance(each, dict) else each for each in listed)
            yield from self._below(names, str, tags_of)

        yield from self._below(self._projects(), lambda each: f"{each['name']}/", of)

    def members(self) -> Iterator[Item]:
        def of(project: Any) -> Iterator[Item]:
            for each in (
                self._api.one(f"/api/projects/{project['project_id']}/members", self._credentials) or ()
            ):
                yield Entry(f"{project['name']}/user {each['username']}", {"role": each["role_id"]})

        yield from self._below(self._projects(), lambda each: f"{each['name']}/", of)

    def users(self) -> Iterator[Item]:
        for each in self._api.each_of("/api/users", {}, self._credentials):
            yield Entry(each["username"], {"id": each["user_id"], "admin": bool(each.get("has_admin_role"))})

    def settings(self) -> Iterator[Item]:
        answer = self._api.one("/api/configurations", self._credentials)
        if not isinstance(answer, dict):
            raise UnexpectedAnswer("GET /api/configurations: no settings", status=200)
        for name, each in sorted(answer.items()):
            yield Entry(name, each["value"] if isinstance(each, dict) and "value" in each else each)

    def _projects(self) -> Iterator[Any]:
        return self._api.each_of("/api/projects", {}, self._credentials)


def lists(api: Harbor, credentials: Credentials, remark: Callable[[str], None]) -> Mapping[str, Listing]:
    """Upgrade.lists."""
    return _Lists(cast(Harbor12, api), credentials).all()


UPGRADE = Upgrade(
    lists=lists,
    lockouts={
        "/etc/ui/private_key.pem": Lockout(
            "every token that clients hold is refused, and while ui pods are replaced one refuses what another has "
            "signed; the registry must have the certificate of this key. Put the former pkey back"
        ),
        "/etc/ui/key": Lockout(_KEY),
        "/etc/adminserver/key": Lockout(_KEY),
        "/etc/jobservice/key": Lockout(_KEY),
    },
    settings={"auth_mode": "users cannot sign in as they did. Set it back before anybody is made anew"},
)
