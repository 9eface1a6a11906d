"""Which failed check explains which: causes, and what follows from them.

A check says which others it builds on. When both fail for the same object, or for objects of different kinds (a replica
and the front door, replicas of two parts), the failure of the one that builds on the other is a consequence.
Pure: no I/O.
"""

import re
from collections.abc import Mapping, Sequence

from harbor_verify.reports.model import CheckResult, Offender, Verdict

_OBJECT = re.compile(r"(\S+) (?:[^\s/]+/)?([\w.-]+)(?: \(([\w.-]+))?")
"""An object as offenders name it, `KIND NAMESPACE/NAME (ALIAS on NODE)`: its kind, name, and alias in reports."""


def causes(results: Sequence[CheckResult]) -> dict[str, str]:
    """The id of the cause by the id of each consequence; a cause is nobody's consequence."""
    by_id = {result.id: result for result in results}
    failed = {id: result for id, result in by_id.items() if result.verdict is Verdict.FAIL}
    direct = {
        id: explained
        for id, result in failed.items()
        if (explained := _explained_by(result, _beneath(result, by_id), failed))
    }
    cause_by_id = {}
    for id in direct:
        roots = [root for root in _roots(id, direct, ()) if root != id]
        if roots:
            cause_by_id[id] = roots[0]
    return cause_by_id


def _beneath(result: CheckResult, by_id: Mapping[str, CheckResult]) -> list[str]:
    """All that a check builds on, and what that builds on, the nearest first."""
    ids: list[str] = []
    waiting = list(result.builds_on)
    while waiting:
        id = waiting.pop(0)
        if id not in ids and id != result.id:
            ids.append(id)
            waiting += by_id[id].builds_on if id in by_id else ()
    return ids


def _explained_by(
    result: CheckResult, beneath: Sequence[str], failed: Mapping[str, CheckResult]
) -> list[str]:
    """The failed checks that explain every offender of a result; none when they leave one unexplained."""
    # What must be is not explained away by advice.
    candidates = [id for id in beneath if id in failed and failed[id].severity <= result.severity]
    used: list[str] = []
    for offender in result.offenders:
        explaining = [
            id for id in candidates if any(_explains(cause, offender) for cause in failed[id].offenders)
        ]
        if not explaining:
            return []
        used += explaining
    # What was said without an offender (an assertion) names no object: what it builds on explains it.
    return list(dict.fromkeys(used)) if result.offenders else candidates


def _explains(cause: Offender, effect: Offender) -> bool:
    """Whether both may be about the same thing: of one kind (replicas of one part), they must be, or the effect speaks
    of the cause's.
    """
    one, other = _OBJECT.match(cause.object), _OBJECT.match(effect.object)
    if one is None or other is None or _kind(one) != _kind(other):
        return True
    text = f"{effect.object} {effect.expected} {effect.observed}"
    names = [name for name in one.groups()[1:] if name]
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in names)


def _kind(match: re.Match[str]) -> tuple[str, str]:
    """pod, and the part that it is a replica of: web-0 → web."""
    return match[1], (match[3] or "").rpartition("-")[0]


def _roots(id: str, direct: Mapping[str, Sequence[str]], path: tuple[str, ...]) -> list[str]:
    """The causes at the beginning of the chains that lead to a check; chains that go round in a circle have none."""
    if id in path:
        return []
    if id not in direct:
        return [id]
    return list(dict.fromkeys(root for cause in direct[id] for root in _roots(cause, direct, (*path, id))))
