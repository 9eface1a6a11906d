"""Offenders with one message are told once, with their number; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from harbor_verify.reports.model import Offender


@dataclass(frozen=True)
class Group:
    """Several objects of which the same is said, or one object of which several things are."""

    objects: tuple[str, ...]
    """Each once, in the order of appearance."""
    count: int
    """How many offenders are in it."""
    expected: str
    observed: tuple[str, ...]


def grouped(offenders: Iterable[Offender]) -> list[Group]:
    """Offenders by what is said of them, in the order of appearance; each is in one group."""
    offenders = list(offenders)
    alike: dict[tuple[str, str], list[str]] = {}
    for each in offenders:
        alike.setdefault((each.expected, each.observed), []).append(each.object)
    by_object: dict[tuple[str, str], list[str]] = {}
    for each in offenders:
        if _of_one(alike[each.expected, each.observed]):
            by_object.setdefault((each.object, each.expected), []).append(each.observed)
    groups: dict[tuple[str, ...], Group] = {}
    for each in offenders:
        objects = alike[each.expected, each.observed]
        if _of_one(objects):
            observed = by_object[each.object, each.expected]
            key = ("object", each.object, each.expected)
            group = Group((each.object,), len(observed), each.expected, tuple(observed))
        else:
            key = ("message", each.expected, each.observed)
            group = Group(tuple(dict.fromkeys(objects)), len(objects), each.expected, (each.observed,))
        groups.setdefault(key, group)
    return list(groups.values())


def _of_one(objects: list[str]) -> bool:
    return len(set(objects)) == 1
