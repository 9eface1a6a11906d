"""Which Harbor the stand-in plays, and what it says that it is, wherever Harbor says its version.

What users of Harbor can see differs within 2.x; the programs ask here (`at_least`) which way they are to behave.
"""

import os

VARIABLE = "HARBOR_STAND_IN_VERSION"
"""The environment variable that tells which version to play; without it the newest."""
_RELEASES = {(2, 12): "v2.12.4", (2, 15): "v2.15.2"}
_SCHEMAS = {(2, 12): 150, (2, 15): 180}


def _played() -> tuple[int, int]:
    known = {f"{major}.{minor}": (major, minor) for major, minor in _RELEASES}
    told = os.environ.get(VARIABLE) or list(known)[-1]
    if told not in known:
        raise SystemExit(f"{VARIABLE} is {told}: there are {', '.join(known)}")
    return known[told]


PLAYED = _played()
VERSION = f"{_RELEASES[PLAYED]}-stand-in"
SCHEMA = _SCHEMAS[PLAYED]
"""The version of its database schema."""


def at_least(major: int, minor: int) -> bool:
    """Whether the version that is played is this one or a newer."""
    return (major, minor) <= PLAYED
