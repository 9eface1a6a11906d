"""Comparing what is there now with a baseline, part by part and entry by entry. Pure: no I/O but what it is handed.

What could not be read, then or now, is neither the same nor different: it is told as unknown.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harbor_verify.baseline import cluster_rules, content_rules, logins
from harbor_verify.baseline.file import Baseline, is_below
from harbor_verify.baseline.judgement import ABSENT, Context, Difference, Level, Said
from harbor_verify.model.upgrades import Entry, Item, Unread, Upgrade

RULES: Mapping[str, content_rules.Rule] = {
    "deployment": cluster_rules.deployment,
    "workloads": cluster_rules.workloads,
    "claims": cluster_rules.claims,
    "secrets": cluster_rules.secrets,
    "schema": cluster_rules.schema,
    "versions": cluster_rules.versions,
    "latency": cluster_rules.latency,
    "projects": content_rules.projects,
    "images": content_rules.images,
    "members": content_rules.members,
    "users": content_rules.users,
    "robots": content_rules.robots,
    "quotas": content_rules.quotas,
    "policies": content_rules.policies,
    "schedules": content_rules.schedules,
    "registries": content_rules.registries,
    "replication rules": content_rules.policies,
    "settings": content_rules.settings,
    "logins": logins.rule,
}
_SMALL = frozenset({"workloads", "schema", "versions"})
"""Parts that are judged together at the end."""
_ALWAYS = frozenset({"workloads", "claims", "secrets", "schema", "versions"})
"""Parts of which something may be wrong now that was so before, too."""
_OF_PROJECTS = frozenset({"images", "members", "robots", "quotas", "policies"})


class Comparison:
    """Collects what differs. `unknown`: by part and thing, why it could not be compared."""

    def __init__(self, baseline: Baseline, upgrade: Upgrade | None) -> None:
        self._baseline = baseline
        self._context = Context(upgrade, str(baseline.about.get("taken", "")))
        self.differences: list[Difference] = []
        self.unknown: dict[tuple[str, str], str] = {}
        self.compared: dict[str, int] = {}
        """By part, how many things were looked at that were there before or are now."""

    def compare(
        self, part: str, items: Iterator[Item], again: Callable[[], Iterator[Item]] | None = None
    ) -> None:
        """One part. `again` reads it once more, for things that seem to be gone: they may only have moved from one
        page to another while a list was read.
        """
        kept = self._baseline.part(part)
        for key, why in kept.unread.items():
            self.leave(part, key, f"when the baseline was kept it could not be read: {why}")
        left = dict(kept.entries)
        unread: list[str] = []
        seen: set[str] = set()
        self.compared.setdefault(part, 0)
        for item in items:
            if isinstance(item, Unread):
                unread.append(item.key)
                self.leave(part, item.key, item.why)
                continue
            if item.key in seen:
                continue  # A list that grows while it is read shows one thing on two pages.
            seen.add(item.key)
            self._note(part, item)
            before = left.pop(item.key, ABSENT)
            if before is ABSENT and kept.why_unread(item.key):
                continue
            self._judge(part, item.key, before, item)
        gone = [key for key in left if not _is_below_any(key, unread)]
        if gone and again:
            there, unread_again = _keys(again())
            gone = [key for key in gone if key not in there and not _is_below_any(key, unread_again)]
        for key in gone:
            self._judge(part, key, left[key], None)

    def finish(self) -> None:
        """What several parts tell together; after the last of them."""
        for place, said in cluster_rules.schema_too_new(self._context):
            self.tell("schema", place, said)

    def tell(self, part: str, thing: str, said: Said) -> None:
        """Add a difference that was found elsewhere."""
        self.differences.append(Difference(said.level, part, thing, said.observed, said.hint))

    def leave(self, part: str, key: str, why: str) -> None:
        """Add what could not be found out; the key `` is a whole part."""
        self.unknown[part, key] = why

    @property
    def is_broken(self) -> bool:
        return any(each.level is Level.BROKEN for each in self.differences)

    @property
    def is_suspicious(self) -> bool:
        return any(each.level is Level.SUSPICIOUS for each in self.differences)

    def _judge(self, part: str, key: str, before: Any, item: Entry | None) -> None:
        self.compared[part] += 1
        now, beside = (ABSENT, None) if item is None else (item.value, item.beside)
        if before == now and part not in _ALWAYS:
            return
        if item is None and part in _OF_PROJECTS and key.partition("/")[0] in self._context.gone_projects:
            return
        if part == "projects" and item is None:
            self._context.gone_projects.add(key)
        if part == "versions" and before not in (ABSENT, now):
            self._context.version_changed = True
        if part == "workloads" and item is not None and (why := cluster_rules.still_rolling(now, beside)):
            self.leave(part, key, why)
        for said in RULES[part](key, before, now, beside, self._context):
            self.tell(part, key, said)

    def _note(self, part: str, item: Entry) -> None:
        if part in _SMALL:
            self._context.now.setdefault(part, {})[item.key] = item.value
            self._context.beside.setdefault(part, {})[item.key] = item.beside


def _is_below_any(key: str, unread: list[str]) -> bool:
    return any(is_below(key, each) for each in unread)


def _keys(items: Iterator[Item]) -> tuple[set[str], list[str]]:
    there: set[str] = set()
    unread: list[str] = []
    for item in items:
        if isinstance(item, Unread):
            unread.append(item.key)
        else:
            there.add(item.key)
    return there, unread
