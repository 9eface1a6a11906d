"""What a check of a baseline found, for people and for machines."""

from collections.abc import Sequence
from typing import Any

from harbor_verify.baseline.comparison import Comparison
from harbor_verify.baseline.judgement import Difference, Level

SCHEMA = "harbor-verify/baseline-check/1"
_MOST_LINES = 40
"""Of one level and part, in the text; the JSON has all."""
_MOST_EXPECTED = 8
_TITLES = {
    Level.BROKEN: "BROKEN: somebody must do something",
    Level.SUSPICIOUS: "SUSPICIOUS: somebody should look",
    Level.EXPECTED: "expected: an upgrade does that, or people at work",
}


def document(found: Comparison, about: dict[str, Any]) -> dict[str, Any]:
    """As JSON: every difference, and everything that could not be compared."""
    return {
        "schema": SCHEMA,
        **about,
        "differences": [
            {"level": str(each.level), "part": each.part, "thing": each.thing, "observed": each.observed}
            | {"hint": each.hint}
            for each in found.differences
        ],
        "unknown": [{"part": part, "thing": key, "why": why} for (part, key), why in found.unknown.items()],
        "compared": found.compared,
    }


def text(found: Comparison, remarks: Sequence[str]) -> str:
    """For people: the worst first, each with what to do."""
    lines: list[str] = []
    for level, title in _TITLES.items():
        of_level = [each for each in found.differences if each.level is level]
        if of_level:
            lines += [title, *_lines(of_level), ""]
    if found.unknown:
        lines += ["COULD NOT BE FOUND OUT: neither the same nor another", *_unknown(found.unknown), ""]
    lines += [f"Remark: {remark}" for remark in remarks]
    lines.append(_sum(found))
    return "\n".join(lines) + "\n"


def _lines(differences: list[Difference]) -> list[str]:
    lines = []
    for part in dict.fromkeys(each.part for each in differences):
        those = [each for each in differences if each.part == part]
        most = _MOST_EXPECTED if those[0].level is Level.EXPECTED else _MOST_LINES
        hints: dict[str, None] = {}
        for each in those[:most]:
            lines.append(f"  {part}: {each.thing}: {each.observed}")
            hints[each.hint] = None
        if len(those) > most:
            lines.append(f"  {part}: and {len(those) - most} more (--json tells all)")
        lines += [f"    → {hint}" for hint in hints if hint]
    return lines


def _unknown(unknown: dict[tuple[str, str], str]) -> list[str]:
    """One reason once, with all that it is told of."""
    by_reason: dict[str, list[str]] = {}
    for (part, key), why in unknown.items():
        by_reason.setdefault(why, []).append(f"{part} {key}".strip())
    lines = []
    for why, things in by_reason.items():
        more = f" and {len(things) - _MOST_LINES} more" if len(things) > _MOST_LINES else ""
        lines.append(f"  {', '.join(things[:_MOST_LINES])}{more}: {why}")
    return lines


def _sum(found: Comparison) -> str:
    number = {level: sum(each.level is level for each in found.differences) for level in Level}
    things = sum(found.compared.values())
    counts = ", ".join(f"{count} {level}" for level, count in number.items())
    unknown = f", {len(found.unknown)} could not be found out" if found.unknown else ""
    end = ""
    if not (number[Level.BROKEN] or number[Level.SUSPICIOUS] or found.unknown):
        end = " Nothing is missing."
    return f"{things} things in {len(found.compared)} parts were compared: {counts}{unknown}.{end}"
