"""A drill, as text for people and as JSON for programs."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from harbor_verify.audit import result as audit_result
from harbor_verify.drill.judgement import Became, Drill, Found

_MOST_TOLD = 10
_BROKEN = (
    "the database knows them, and the storage gives them not whole. Copy the database first and the storage after it: "
    "what the database of then names is in a storage of later, as long as no garbage collection runs between. Or stop "
    "pushes for that time: Harbor's read-only mode"
)
_LOST = (
    "they were acknowledged before the copy began: it was made from something older (a replica that lags, a snapshot "
    "of yesterday, a cache that was not written out), or the restored Harbor was made from another copy"
)


def document(drill: Drill) -> dict[str, Any]:
    """As JSON: seconds from the beginning of the copy."""
    began_s = drill.times.copy_began_s
    return {
        "format": 2,
        "figures": figures(drill),
        "pushes": [
            {
                "image": f"{each.push.repository}:{each.push.tag}",
                "digest": each.push.digest,
                "acknowledged_s": round(each.push.acknowledged_s - began_s, 3),
                "became": each.became.value,
                "observed": each.observed,
            }
            for each in drill.found
        ],
        "refused": [{"answer": answer, "count": count} for answer, count in Counter(drill.refused).items()],
        "audit": audit_result.document(drill.audit) if drill.audit else None,
        "could_not_be_found_out": drill.unknown,
    }


def figures(drill: Drill) -> dict[str, float]:
    """What was measured, by names that end with the unit."""
    times = drill.times
    found = {
        "copy_s": times.copy_done_s - times.copy_began_s,
        "rpo_s": drill.rpo_s,
        "acknowledged_before_count": len(drill.before),
        "acknowledged_meanwhile_count": len(drill.meanwhile),
        "meanwhile_in_the_copy_count": len(_those(drill.meanwhile, Became.WHOLE)),
        "lost_count": len(drill.lost),
        "broken_count": len(drill.broken),
        "refused_count": len(drill.refused),
    }
    if times.restored_after_s is not None:
        found["rto_s"] = times.restored_after_s
    return {name: round(value, 1) for name, value in found.items()}


def text(drill: Drill) -> str:
    """For people: what is wrong first, then the figures."""
    lines: list[str] = []
    lines += _told("LOST", drill.lost, _LOST)
    lines += _told("BROKEN", drill.broken, _BROKEN)
    unknown = _those(drill.found, Became.UNKNOWN)
    lines += _told("COULD NOT BE FOUND OUT", unknown, "ask the restored Harbor again")
    lines += [f"COULD NOT BE FOUND OUT: {each}" for each in drill.unknown]
    if drill.audit:
        lines += ["The restored Harbor, read whole:", audit_result.text(drill.audit)]
    return "\n".join([*lines, *_summary(drill)]) + "\n"


def _summary(drill: Drill) -> list[str]:
    told, times = figures(drill), drill.times
    before, meanwhile = len(drill.before), len(drill.meanwhile)
    whole = len(_those(drill.before, Became.WHOLE))
    lines = [f"Pushes before the copy began: {before}, of which {whole} came back whole."]
    lines.append(
        f"Pushes while it was taken ({told['copy_s']:.1f} s): {meanwhile}; "
        f"{told['meanwhile_in_the_copy_count']:.0f} of them are in it."
    )
    if drill.refused:
        lines.append(f"{len(drill.refused)} pushes were refused meanwhile; the first: {drill.refused[0]}")
    lines.append(
        f"RPO: {told['rpo_s']:.1f} s of pushes are lost with a Harbor that is lost when the copy is done; add the time "
        "that has passed since the last copy."
    )
    lines.append(
        f"RTO: {told['rto_s']:.1f} s from the beginning of the restore until an image came back whole."
        if times.restored_after_s is not None
        else "RTO: no image came back in the time that was given."
    )
    return lines


def _told(title: str, found: Sequence[Found], advice: str) -> list[str]:
    if not found:
        return []
    lines = [f"{title} ({len(found)}):"]
    lines += [
        f"  {each.push.repository}:{each.push.tag} {each.push.digest}: {each.observed}"
        for each in found[:_MOST_TOLD]
    ]
    if len(found) > _MOST_TOLD:
        lines.append(f"  … and {len(found) - _MOST_TOLD} more, all in drill.json")
    return [*lines, f"  What to do: {advice}.", ""]


def _those(found: Collection[Found], became: Became) -> list[Found]:
    return [each for each in found if each.became is became]
