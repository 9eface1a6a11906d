"""Which defects `make matrix` plants at once: most runs of the suite then show many of them, and blame stays exact.

Of those that are together no check is red for two, surely or by chance, none that is red builds on one that is red for
another, and none finds nothing to be about for one that another has a word on. What is shown by breaking something is
planted apart from what looking shows, so that clients at work meet little else.
"""

from functools import cache

from lab import defects
from lab.profiles import Profile
from tests.lab.running import CHECKS


def groups(profile: Profile) -> list[str]:
    """All defects of a profile: names, or several with a + between; the small ones first, in alphabetical order."""
    found: list[dict[str, defects.Defect]] = []
    for name, defect in sorted(defects.every(profile).items(), key=lambda each: len(each[1].turns_red)):
        for group in found:
            if all(_go_together(defect, other) for other in group.values()):
                group[name] = defect
                break
        else:
            found.append({name: defect})
    return [defects.AND.join(sorted(group)) for group in found]


def _go_together(one: defects.Defect, other: defects.Defect) -> bool:
    return (
        defects.can_meet(one, other)
        and not any(each.chance_explains or each.unready for each in (one, other))
        and _breaks(one) == _breaks(other)
        and not _told(one) & _told(other)
        and not _explain(one) & _red(other)
        and not _explain(other) & _red(one)
    )


def _red(defect: defects.Defect) -> frozenset[str]:
    return defect.turns_red | defect.may_turn_red


def _told(defect: defects.Defect) -> frozenset[str]:
    """The checks that do not say with it what they say without."""
    return _red(defect) | defect.not_applicable | defect.applicable


def _breaks(defect: defects.Defect) -> bool:
    return any("disruption" in CHECKS[id].needs for id in defect.turns_red)


def _explain(defect: defects.Defect) -> frozenset[str]:
    """What would explain its red checks, if it were red."""
    return frozenset().union(*(_above(id) for id in _red(defect)))


@cache
def _above(id: str) -> frozenset[str]:
    builds_on = CHECKS[id].builds_on
    return frozenset(builds_on).union(*map(_above, builds_on))
