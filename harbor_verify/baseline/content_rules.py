"""What differences of what Harbor holds mean: projects, images, people, robots, policies, settings."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from harbor_verify.baseline.judgement import (
    ABSENT,
    Context,
    Said,
    broken,
    change,
    changes,
    expected,
    suspicious,
    told,
)

Rule = Callable[[str, Any, Any, Any, Context], Iterator[Said]]
_WHO = "Look at the audit log first: did somebody do that meanwhile? If nobody did, "
_RESTORE = _WHO + "the database is another, or an old one: restore it from the backup of before the upgrade"
_RETENTION = "A retention rule, a person, or the upgrade? The audit log says (operation delete)"
_MOST_TAGS = 20


def projects(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT:
        yield expected("is new")
        return
    if now is ABSENT:
        yield broken("is gone, with all that was in it", _RESTORE)
        return
    for name in changes(before, now):
        observed = change(name, before, now)
        if name == "id":
            yield broken(f"was made anew: {observed}", _RESTORE)
        else:
            yield suspicious(observed, f"Was that meant? Set {name} back on the project's page")


def images(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT:
        yield expected(f"is new, {len(now['tags'])} tags")
        return
    if now is ABSENT:
        number = len(before["tags"])
        if number:
            yield broken(f"is gone, with {number} tag{'s' if number > 1 else ''}", _RESTORE)
        else:
            yield suspicious("is gone; it had no tag", _RETENTION)
        return
    gone = sorted(set(before["tags"]) - set(now["tags"]))
    if gone:
        yield broken(
            f"{len(gone)} of {len(before['tags'])} tags are gone: {_some(gone, before['tags'])}",
            _WHO + "compare with `harbor-verify audit`, and restore the database of before the upgrade",
        )
    pushed: list[str] = []
    other: list[str] = []
    for tag, digest in before["tags"].items():
        if now["tags"].get(tag, digest) != digest:
            (pushed if _later((beside or {}).get(tag, ""), context.taken) else other).append(tag)
    if other:
        was = ", ".join(
            f"{tag} is {now['tags'][tag]}, was {before['tags'][tag]}" for tag in other[:_MOST_TAGS]
        )
        yield broken(
            f"another digest, and no push since the baseline that would explain it: {was}",
            _WHO + "the database is another, or an old one: pull by the former digest, and compare",
        )
    if pushed:
        yield expected(f"pushed again since: {', '.join(pushed[:_MOST_TAGS])}")
    if new := sorted(set(now["tags"]) - set(before["tags"])):
        yield expected(f"new tags: {', '.join(new[:_MOST_TAGS])}")
    there = {*now["untagged"], *now["tags"].values()}
    if lost := [digest for digest in before["untagged"] if digest not in there]:
        yield suspicious(
            f"{len(lost)} artifacts without a tag are gone: {', '.join(lost[:_MOST_TAGS])}", _RETENTION
        )


def members(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken("is no member any more", _RESTORE)
    elif before is ABSENT:
        yield suspicious(
            f"is a member now, role {now['role']}", "Did an administrator of the project do that?"
        )
    elif before != now:
        yield suspicious(
            f"role is {now['role']}, was {before['role']}", "Did an administrator of the project do that?"
        )


def users(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken("is gone", _RESTORE)
    elif before is ABSENT:
        administrator = suspicious("is new, and an administrator", "Who made this one?")
        yield administrator if now["admin"] else expected("is new")
    else:
        if before["id"] != now["id"]:
            yield broken(f"was made anew: number {now['id']}, was {before['id']}", _RESTORE)
        if before["admin"] != now["admin"]:
            is_now = "is an administrator now" if now["admin"] else "is no administrator any more"
            yield suspicious(is_now, "Who did that? The audit log says")


def robots(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT:
        yield expected("is new")
        return
    if now is ABSENT:
        yield broken("is gone: whatever signs in as it is refused", _RESTORE)
        return
    if before["id"] != now["id"]:
        yield broken(
            f"was made anew (number {now['id']}, was {before['id']}): its secret is another",
            "Give its clients the new secret, or refresh the secret with the former one",
        )
    if now["disabled"] and not before["disabled"]:
        yield broken("is disabled", _WHO + "enable it again")
    if before["ends"] != now["ends"]:
        yield suspicious(
            f"ends at {now['ends']}, was {before['ends']} (Unix time; -1: never)", "Was it renewed?"
        )
    if lost := sorted(set(before["may"]) - set(now["may"])):
        yield broken(f"may no longer: {', '.join(lost[:_MOST_TAGS])}", _WHO + "grant it again")
    if more := sorted(set(now["may"]) - set(before["may"])):
        yield suspicious(f"may now, too: {', '.join(more[:_MOST_TAGS])}", "Was that meant?")


def quotas(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken("has no quota any more", _RESTORE)
    elif before is ABSENT:
        yield expected("is new")
    elif changed := changes(before["limits"], now["limits"]):
        seen = ", ".join(change(name, before["limits"], now["limits"]) for name in changed)
        yield broken(
            f"the limit is another: {seen} (bytes; -1: none)",
            _WHO
            + "set it back (Administration → Project Quotas): pushes are refused, or nothing limits them",
        )


def policies(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken("is gone", _WHO + "make it again, by what the baseline says of it")
    elif before is ABSENT:
        yield expected("is new")
    elif changed := changes(before, now):
        if "enabled" in changed and before["enabled"] and not now.get("enabled"):
            yield broken("is no longer enabled", _WHO + "enable it again")
            changed.remove("enabled")
        if changed:
            seen = ", ".join(change(name, before, now) for name in changed)
            yield suspicious(seen, "Was that meant? The baseline has what it was")


def schedules(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken("is gone: it does not run any more", _WHO + f"schedule it again (cron {before['cron']})")
    elif before is ABSENT:
        yield expected(f"is new, cron {now['cron']}")
    elif before != now:
        yield suspicious(f"cron is {now['cron']}, was {before['cron']}", "Was that meant?")


def registries(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT:
        yield expected("is new")
        return
    if now is ABSENT:
        yield broken("is gone: what replicates to it, or caches from it, does not any more", _RESTORE)
        return
    if before["ping"] == "well" and now["ping"] != "well":
        yield broken(
            f"could be signed in to, and cannot any more: {now['ping']}",
            "If the secret key is another one, too, what is stored cannot be decrypted: put the former key back. Else "
            "see whether that registry is down or refuses the login; then type the password in again",
        )
    for name in (each for each in changes(before, now) if each != "ping"):
        yield suspicious(change(name, before, now), "Was that meant?")


def settings(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT:
        yield expected(f"is new: {told(now)}")
        return
    if now is ABSENT:
        if context.version_changed:
            yield expected("is not told by this version")
        else:
            yield suspicious(
                "is not told any more", "The version is the same: does this account still see all?"
            )
        return
    observed = f"is {told(now)}, was {told(before)}"
    consequence = context.upgrade.settings.get(key) if context.upgrade else None
    # A switch that was turned off hurts nobody.
    if consequence and now is not False:
        yield broken(observed, f"{consequence[0].upper()}{consequence[1:]}")
    else:
        yield suspicious(observed, "Was that meant? Set it back on the page Configuration")


def _some(tags: list[str], digests: dict[str, str]) -> str:
    named = ", ".join(f"{tag} ({digests[tag]})" for tag in tags[:_MOST_TAGS])
    return named + (f" and {len(tags) - _MOST_TAGS} more" if len(tags) > _MOST_TAGS else "")


def _later(moment: str, than: str) -> bool:
    """Both ISO times; what is none is not later."""
    try:
        return datetime.fromisoformat(moment) > datetime.fromisoformat(than)
    except (ValueError, TypeError):
        return False
