"""The generations of Harbor that the lab can carry, side by side: each has a namespace and a front door of its own.

They share Kubernetes, Ceph, Redis and the load balancer; each has its own database.
"""

from lab.errors import UnknownProfile
from lab.profiles.harbor_1_2 import HARBOR_1_2
from lab.profiles.harbor_2 import HARBOR_2
from lab.profiles.profile import Profile

__all__ = ["ALL", "DEFAULT", "EVERY", "HARBOR_1_2", "HARBOR_2", "Profile", "chosen", "deployed", "find"]

ALL = {profile.name: profile for profile in (HARBOR_1_2, HARBOR_2)}
DEFAULT = HARBOR_2.name
"""Which one is meant when nobody says."""
EVERY = "all"


def find(name: str | None = None) -> Profile:
    """The profile of that name, or the default; raises UnknownProfile."""
    name = name or DEFAULT
    if name not in ALL:
        raise UnknownProfile(f"the lab has no profile {name}; there are {', '.join(ALL)}")
    return ALL[name]


def chosen(name: str | None = None) -> tuple[Profile, ...]:
    """The profile of that name, or every one at the word `all`; raises UnknownProfile."""
    return tuple(ALL.values()) if name == EVERY else (find(name),)


def deployed() -> tuple[Profile, ...]:
    """Those that the lab has begun to deploy."""
    return tuple(profile for profile in ALL.values() if profile.folder.exists())
