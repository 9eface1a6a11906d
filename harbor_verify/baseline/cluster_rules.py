"""What differences of the cluster mean: workloads, claims, secrets, schema, versions, where things are, latency."""

import re
from collections.abc import Iterator
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from harbor_verify.baseline.judgement import (
    ABSENT,
    Context,
    Said,
    broken,
    expected,
    suspicious,
    told,
)
from harbor_verify.model.roles import Role
from harbor_verify.redaction import is_secret_name

_RESTORE = "Stop here: restart nothing, delete nothing. The data of before is in the former volume and in your backup. "
_SLOWER_TIMES, _SLOWER_MS = 3, 200
"""A median that is both times as long, and longer by so much."""
_ELSEWHERE = {
    "images": (
        "Images of before are not where the registry looks now: compare the registry's configuration and the values of "
        "the chart (persistence.*) with those of before the upgrade"
    ),
    "auth mode": "Users cannot sign in as they did: set auth_mode back before anybody is made anew",
}
_KEY_FILE = re.compile(r"\.(?:key|pem)$|passwd$")


def deployment(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT or now is ABSENT:
        return
    observed = f"is {told(now)}, was {told(before)}"
    if hint := _ELSEWHERE.get(key):
        yield broken(observed, hint)
    else:
        yield suspicious(
            observed, f"Was that meant? Compare the values of the chart; see what else is told of {key}"
        )


def workloads(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        yield broken(
            f"{before['object']} is gone, and nothing else plays its role",
            "See what the upgrade deleted (`helm history`, events), and apply it again",
        )
        return
    yield from _rollout(now, beside)
    if before is ABSENT:
        yield expected(f"{now['object']} is new")
        return
    for name in sorted(set(before["images"]) | set(now["images"])):
        images = before["images"].get(name), now["images"].get(name)
        if images[0] != images[1]:
            yield expected(f"container {name}: image {images[0] or 'none'} → {images[1] or 'none'}")
    if before["object"] != now["object"]:
        yield suspicious(
            f"is {now['object']}, was {before['object']}", "Is the former one still there, beside it?"
        )
    if now["replicas"] == 0 and before["replicas"]:
        yield broken(
            f"{now['object']} asks for no replica; it asked for {before['replicas']}",
            f"kubectl scale --replicas={before['replicas']} {now['object'].lower().replace(' ', '/', 1)}",
        )
    elif now["replicas"] < before["replicas"]:
        yield suspicious(
            f"{now['object']} asks for {now['replicas']} replicas; it asked for {before['replicas']}",
            "Did the values of the chart (replicas) get lost with this upgrade?",
        )
    elif now["replicas"] > before["replicas"]:
        yield expected(f"replicas {before['replicas']} → {now['replicas']}")


def _rollout(now: Any, beside: Any) -> Iterator[Said]:
    """How its pods are now. What goes on and may end well is for `still_rolling` to say."""
    if not _is_stuck(beside):
        return
    rollout = beside["rollout"]
    why = "; ".join(filter(None, [rollout.stuck if rollout else "", *beside["hopeless"]]))
    if _is_over(beside):
        yield broken(
            f"{beside['ready']} of {now['replicas']} replicas of {now['object']} are Ready: {why}",
            "Read their events and logs (`kubectl describe pod`, `kubectl logs --previous`)",
        )
        return
    former = f"{rollout.former} pods" if rollout else ", ".join(beside["former"])
    yield broken(
        f"the rollout of {now['object']} is stuck: {former} of the former version are still there "
        f"({beside['ready']} pods are Ready in all), and the new ones do not come up: {why}",
        "Everything seems to work, by the old pods alone: once they are gone nothing does. Read events and logs of "
        "the new pods (`kubectl describe pod`, `kubectl logs --previous`), and mend that before any node is drained",
    )


def still_rolling(now: Any, beside: Any) -> str:
    """Why it is too early to judge a workload, in words; empty: it is not."""
    if _is_stuck(beside):
        return ""
    if not _is_over(beside):
        rollout = beside["rollout"]
        seen = f"{rollout.former} pods" if rollout else ", ".join(beside["former"])
        return f"its rollout is not over: {seen} are of the former version. Check again when it is"
    if beside["ready"] < now["replicas"]:
        ready = f"{beside['ready']} of {now['replicas']} replicas are Ready"
        return f"{ready}. Check again; if it stays so, see their events"
    return ""


def _is_over(beside: Any) -> bool:
    return not beside["former"] if beside["rollout"] is None else bool(beside["rollout"].is_complete)


def _is_stuck(beside: Any) -> bool:
    return bool(beside["hopeless"] or (beside["rollout"] and beside["rollout"].stuck))


def claims(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT or now["uid"] is None:
        if before is ABSENT:
            yield broken("pods name it, and it does not exist", "Make it, or take it out of the workload")
        elif before["uid"] is not None:
            yield broken(
                "is gone, or no workload of Harbor's uses it any more",
                _RESTORE
                + "See whether its PersistentVolume is still there (Released), and what the pods mount now",
            )
        return
    if beside != "Bound":
        yield broken(
            f"is {beside}, not Bound", f"kubectl describe persistentvolumeclaim {key}: read its events"
        )
    if before is ABSENT:
        yield expected(f"is new, used by {told(now['used by'])}")
        return
    if before["uid"] is None:
        yield expected("exists now")
        return
    if replaced := [name for name in ("uid", "volume", "where") if _differ(before[name], now[name])]:
        seen = "; ".join(f"{name} is {now[name]}, was {before[name]}" for name in replaced)
        yield broken(
            f"was replaced: {seen}",
            _RESTORE + f"Find the former PersistentVolume {before['volume']}, and bind the claim to it again",
        )
    if before["capacity"] != now["capacity"] and before["capacity"] and now["capacity"]:
        observed = f"capacity {before['capacity']} → {now['capacity']}"
        if parse_quantity(now["capacity"]) < parse_quantity(before["capacity"]):
            yield suspicious(observed, "A volume does not shrink: is it another one?")
        else:
            yield expected(observed)


def secrets(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    name = key.rpartition(" ")[2]
    lockout = context.upgrade.lockouts.get(name) if context.upgrade else None
    if lockout and now is not ABSENT and lockout.length and beside != lockout.length:
        yield broken(f"has {beside} characters, and must have {lockout.length}", _sentence(lockout.locks_out))
        return
    if before is ABSENT:
        yield expected("is new")
    elif now is ABSENT:
        if lockout:
            yield broken("is gone", _sentence(lockout.locks_out))
        else:
            yield suspicious(
                "is given no more", "Is it called otherwise now, or has it been lost with the values?"
            )
    elif before == now:
        return
    elif lockout and not lockout.may_change:
        yield broken("is another one than before", _sentence(lockout.locks_out))
    elif context.upgrade and name in context.upgrade.made_anew:
        yield expected("was written anew, as each rendering of the chart does it")
    elif lockout or is_secret_name(name) or _KEY_FILE.search(name) or not name.startswith("/"):
        yield suspicious(
            "is another one than before",
            "Was it changed on purpose? Whoever else knows the former one (the other parts, database, Redis) must have "
            "this one, too. A chart that is rendered without `lookup` (GitOps) makes new ones: set them in its values",
        )
    else:
        yield expected("another content")


def schema(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        return
    if now["dirty"]:
        yield broken(
            f"migration {now['version']} began, and did not end (dirty)",
            "No replica that restarts comes up. Restore the database from the backup of before the upgrade, and begin "
            "again; do not clear `dirty` by hand unless you know what the migration had done",
        )
    if before is ABSENT or before["version"] == now["version"]:
        return
    observed = f"version {before['version']} → {now['version']}"
    if now["version"] > before["version"]:
        yield expected(observed)
    else:
        yield broken(
            observed, "The database is of before the baseline: was an old backup restored, or is it another?"
        )


def versions(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if now is ABSENT:
        return
    if len(now) > 1:
        seen = "; ".join(f"{version}: {', '.join(places)}" for version, places in sorted(beside.items()))
        yield suspicious(
            f"replicas are of several versions: {seen}",
            "An upgrade is not over while it is so: `kubectl rollout status`",
        )
    if before is ABSENT or before == now:
        return
    observed = f"{told(before)} → {told(now)}"
    if max(map(_numbers, now)) < max(map(_numbers, before)):
        yield suspicious(
            observed,
            "Harbor cannot go back: its database stays upgraded. Restore the backup, or go forward again",
        )
    else:
        yield expected(observed)


def latency(key: str, before: Any, now: Any, beside: Any, context: Context) -> Iterator[Said]:
    if before is ABSENT or now is ABSENT:
        return
    if now > before * _SLOWER_TIMES and now - before > _SLOWER_MS:
        yield suspicious(
            f"takes {now} ms (median), took {before} ms",
            "Are caches still cold? Check again in ten minutes; then look at the database's load and the pods' limits",
        )


def schema_too_new(context: Context) -> Iterator[tuple[str, Said]]:
    """(thing, what is said): the schema is newer than a web replica, or one that would be started now, knows."""
    schema_now = context.now.get("schema", {}).get("schema")
    if schema_now is None or context.upgrade is None:
        return
    versions_now = context.beside.get("versions", {}).get("version") or {}
    candidates = [(place, version) for version, places in versions_now.items() for place in places]
    if web := context.now.get("workloads", {}).get(Role.WEB):
        candidates.append((web["object"], context.beside["workloads"][Role.WEB]["tag"]))
    for place, version in candidates:
        newest = context.upgrade.newest_schema(version)
        if newest is not None and schema_now["version"] > newest:
            yield (
                place,
                broken(
                    f"is of {version}, which knows schemas up to {newest}; the database has {schema_now['version']}",
                    "It goes on only until it restarts, and then never comes up. Restart nothing: bring the newer "
                    "version to its end, or restore the database of before; `helm rollback` is not enough",
                ),
            )


def _differ(before: Any, now: Any) -> bool:
    """What is not known (a right that is missing) differs from nothing."""
    return before is not None and now is not None and before != now


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.partition("-")[0])]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
