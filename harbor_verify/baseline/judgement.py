"""What a difference is called, and what is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from harbor_verify.model.upgrades import Upgrade


class Level(StrEnum):
    """EXPECTED: an upgrade does that, or people at work do. SUSPICIOUS: somebody should look. BROKEN: somebody must."""

    BROKEN = "broken"
    SUSPICIOUS = "suspicious"
    EXPECTED = "expected"


@dataclass(frozen=True)
class Difference:
    """`thing` is what differs, `observed` how, `hint` what to do about it; empty where nothing is to be done."""

    level: Level
    part: str
    thing: str
    observed: str
    hint: str = ""


class Absent:
    """In the place of a value: there is none."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


@dataclass
class Context:
    """What rules know beside the thing itself. `taken` is when the baseline was kept, by Harbor's own clock (ISO)."""

    upgrade: Upgrade | None
    taken: str
    gone_projects: set[str] = field(default_factory=set)
    """What was in them is gone with them, and not told again."""
    now: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By part and key, what is there now, of the parts that are judged together (SMALL)."""
    beside: dict[str, dict[str, Any]] = field(default_factory=dict)
    version_changed: bool = False


@dataclass(frozen=True)
class Said:
    """What a rule says of one thing."""

    level: Level
    observed: str
    hint: str = ""


def broken(observed: str, hint: str) -> Said:
    return Said(Level.BROKEN, observed, hint)


def suspicious(observed: str, hint: str) -> Said:
    return Said(Level.SUSPICIOUS, observed, hint)


def expected(observed: str) -> Said:
    return Said(Level.EXPECTED, observed)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The names whose values differ, of those that were there before: a newer version adds some."""
    return [name for name in sorted(before) if now.get(name, ABSENT) != before[name]]


def change(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What has become of one of `changes`, in words."""
    return f"{name} is {told(now.get(name, ABSENT))}, was {told(before[name])}"


def told(value: Any) -> str:
    """A value within a sentence."""
    if isinstance(value, Absent):
        return "absent"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"
