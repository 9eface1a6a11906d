"""What Harbor 2.x holds, as its API lists it, and what an upgrade must not make anew.

Sources: api/v2.0/swagger.yaml; make/migrations/postgresql at the tags 2.12 to 2.15 (a core that finds a newer schema
than its own migrations does not start).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.model.upgrades import Entry, Item, Listing, Lockout, Owners, Upgrade
from harbor_verify.profiles.harbor_2.api import Harbor2

_VOLATILE = frozenset({"id", "creation_time", "update_time", "creator", "creator_id", "creator_ref"})
_OF_A_PROJECT = {
    "immutable tags": "immutabletagrules",
    "webhooks": "webhook/policies",
    "preheat": "preheat/policies",
}
_SCHEMAS = {(2, 12): 150, (2, 13): 160, (2, 14): 171, (2, 15): 180, (2, 16): 190}
_OTHER_SCHEMAS = {(2, 14, 0): 170}
_NO_SUCH_LIST = (404, 501)
"""Not found, or not implemented."""
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def newest_schema(version: str) -> int | None:
    """v2.14.0-1a2b3c4 → 170. From 2.15.3 on it is not known for sure, and nothing is said."""
    found = _VERSION.match(version)
    if not found:
        return None
    major, minor, patch = map(int, found.groups())
    if (major, minor) == (2, 15) and patch > 2:
        return None
    return _OTHER_SCHEMAS.get((major, minor, patch), _SCHEMAS.get((major, minor)))


class _Lists:
    """What is listed by one core or the front door. Projects are listed anew for each part, a page at a time."""

    def __init__(self, api: Harbor2, credentials: Credentials, remark: Callable[[str], None]) -> None:
        self._api, self._credentials, self._remark = api, credentials, remark
        self._below = Owners().below

    def all(self) -> Mapping[str, Listing]:
        return {
            "projects": self.projects,
            "images": self.images,
            "members": self.members,
            "users": self.users,
            "robots": self.robots,
            "quotas": self.quotas,
            "policies": self.policies,
            "schedules": self.schedules,
            "registries": self.registries,
            "replication rules": self.replications,
            "settings": self.settings,
        }

    def projects(self) -> Iterator[Item]:
        for each in self._projects():
            metadata = {name: value for name, value in (each.get("metadata") or {}).items() if value}
            metadata.pop("retention_id", None)
            allowed = [
                str(item.get("cve_id")) for item in (each.get("cve_allowlist") or {}).get("items") or ()
            ]
            value = {"id": each["project_id"], **metadata, "cve_allowlist": sorted(allowed)}
            yield Entry(each["name"], {**value, "proxy": bool(each.get("registry_id"))})

    def images(self) -> Iterator[Item]:
        own = (each for each in self._projects() if not each.get("registry_id"))
        yield from self._below(own, lambda each: f"{each['name']}/", self._images_of)

    def members(self) -> Iterator[Item]:
        def of(project: Any) -> Iterator[Item]:
            for each in self._listed(f"/projects/{project['project_id']}/members", {}):
                kind = "group" if each.get("entity_type") == "g" else "user"
                yield Entry(f"{project['name']}/{kind} {each['entity_name']}", {"role": each["role_id"]})

        yield from self._below(self._projects(), lambda each: f"{each['name']}/", of)

    def users(self) -> Iterator[Item]:
        for each in self._listed("/users", {}):
            yield Entry(each["username"], {"id": each["user_id"], "admin": bool(each.get("sysadmin_flag"))})

    def robots(self) -> Iterator[Item]:
        def of(project: Any) -> Iterator[Item]:
            yield from self._robots(
                {"q": f"Level=project,ProjectID={project['project_id']}"}, project["name"]
            )

        yield from self._robots({}, "system")
        yield from self._below(self._projects(), lambda each: f"{each['name']}/", of)

    def quotas(self) -> Iterator[Item]:
        for each in self._listed("/quotas", {"reference": "project"}):
            name = (each.get("ref") or {}).get("name")
            if name:
                yield Entry(str(name), {"limits": each.get("hard") or {}}, each.get("used") or {})

    def policies(self) -> Iterator[Item]:
        def of(project: Any) -> Iterator[Item]:
            retention = (project.get("metadata") or {}).get("retention_id")
            if retention:
                answer = self._asked(f"/retentions/{retention}")
                if answer is not None:
                    yield Entry(f"{project['name']}/retention", _settled(answer))
            for name, path in _OF_A_PROJECT.items():
                for each in self._listed(f"/projects/{project['name']}/{path}", {}, kind=name):
                    called = each.get("name") or f"rule {each.get('id')}"
                    yield Entry(f"{project['name']}/{name} {called}", _settled(each))

        yield from self._below(self._projects(), lambda each: f"{each['name']}/", of)

    def schedules(self) -> Iterator[Item]:
        for each in self._listed("/schedules", {}):
            owner = each.get("vendor_id")
            of = f" {owner}" if owner and owner > 0 else ""
            yield Entry(f"{each['vendor_type']}{of}", {"cron": each.get("cron", "")})

    def registries(self) -> Iterator[Item]:
        """To list them Harbor decrypts what is stored of each; a ping shows that the other one takes it, too."""
        for each in self._listed("/registries", {}):
            value = {name: each.get(name) for name in ("url", "type", "insecure")}
            value["credential"] = _settled(each.get("credential") or {})
            yield Entry(each["name"], value | {"ping": self._ping(each["id"])})

    def replications(self) -> Iterator[Item]:
        for each in self._listed("/replication/policies", {}, kind="replication rules"):
            value = _settled(each)
            for side in ("src_registry", "dest_registry"):
                value[side] = (each.get(side) or {}).get("name", "")
            yield Entry(each["name"], value)

    def settings(self) -> Iterator[Item]:
        for name, each in sorted((self._asked("/configurations") or {}).items()):
            yield Entry(name, each["value"] if isinstance(each, dict) and "value" in each else each)

    def _images_of(self, project: Any) -> Iterator[Item]:
        repositories = self._api.each_of(f"/projects/{project['name']}/repositories", {}, self._credentials)
        filled = (each for each in repositories if each.get("artifact_count"))
        yield from self._below(filled, lambda each: each["name"], self._artifacts_of)

    def _artifacts_of(self, repository: Any) -> Iterator[Item]:
        tags: dict[str, str] = {}
        pushed: dict[str, str] = {}
        untagged: list[str] = []
        for artifact in self._api.artifacts_with_tags(repository["name"], self._credentials):
            for tag in artifact["tags"] or ():
                tags[tag["name"]] = artifact["digest"]
                pushed[tag["name"]] = str(tag.get("push_time") or "")
            if not artifact["tags"]:
                untagged.append(artifact["digest"])
        yield Entry(repository["name"], {"tags": tags, "untagged": sorted(untagged)}, pushed)

    def _robots(self, query: dict[str, Any], place: str) -> Iterator[Item]:
        for each in self._listed("/robots", query):
            granted = sorted(
                f"{permission.get('kind')} {permission.get('namespace')}: "
                f"{access.get('action')} {access.get('resource')}"
                for permission in each.get("permissions") or ()
                for access in permission.get("access") or ()
            )
            value = {"id": each["id"], "disabled": bool(each.get("disable")), "ends": each.get("expires_at")}
            yield Entry(f"{place}/{each['name']}", {**value, "may": granted})

    def _ping(self, registry_id: int) -> str:
        """`well`, or what Harbor says of it."""
        try:
            self._api.ping_registry(registry_id, self._credentials)
        except AnswerError as refusal:
            return str(refusal)
        return "well"

    def _projects(self) -> Iterator[Any]:
        return self._api.each_of("/projects", {}, self._credentials)

    def _listed(self, path: str, query: dict[str, Any], *, kind: str = "") -> Iterator[Any]:
        """Of a list that some Harbors have not (`kind` says what of) nothing, with a remark."""
        try:
            yield from self._api.each_of(path, query, self._credentials)
        except UnexpectedAnswer as refusal:
            if refusal.status not in _NO_SUCH_LIST or not kind:
                raise
            self._remark(f"{kind}: this Harbor has no such list ({refusal.status}), so nothing was compared")

    def _asked(self, path: str) -> Any:
        """One document; None where it is gone."""
        try:
            return self._api.one(path, self._credentials)
        except UnexpectedAnswer as refusal:
            if refusal.status == 404:
                return None
            raise


def _settled(document: Any) -> dict[str, Any]:
    """Without what differs for nothing: numbers of its own, and times; and of a trigger the job that it began."""
    kept = {name: value for name, value in document.items() if name not in _VOLATILE}
    if isinstance(trigger := kept.get("trigger"), dict):
        kept["trigger"] = {name: value for name, value in trigger.items() if name != "references"}
    return kept


def lists(api: Harbor, credentials: Credentials, remark: Callable[[str], None]) -> Mapping[str, Listing]:
    """Upgrade.lists."""
    return _Lists(cast(Harbor2, api), credentials, remark).all()


UPGRADE = Upgrade(
    lists=lists,
    lockouts={
        "/etc/core/key": Lockout(
            "what was encrypted with it cannot be read any more: passwords of registries, scanners, LDAP and OIDC, and "
            "the login secrets of OIDC users. Put the former secretKey back (the chart: secretKey, or "
            "existingSecretSecretKey), and restart core"
        ),
        "/etc/core/private_key.pem": Lockout(
            "every token that clients hold is refused, and while core rolls one replica refuses what another has "
            "signed. Put the former key back (the chart: core.secretName, or core.tokenKey and core.tokenCert; without "
            "either each render makes a new one), and restart core"
        ),
        "CSRF_KEY": Lockout(
            "nobody can sign in at the page: core answers 500 from 2.13 on. It must have exactly 32 characters (the "
            "chart: core.xsrfKey)",
            length=32,
            may_change=True,
        ),
    },
    settings={
        "auth_mode": "users cannot sign in as they did. Set it back before anybody is made anew",
        "read_only": "pushes are refused while it is on. Turn it off (Configuration → System Settings)",
        "robot_name_prefix": "robots are called by another name, and their clients are refused. Set it back",
    },
    # htpasswd salts anew what stays the same password.
    made_anew=frozenset({"/etc/registry/passwd"}),
    newest_schema=newest_schema,
)
