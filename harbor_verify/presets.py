"""What a run is for: --smoke, --gate and --nightly choose checks and settings.

To see whether something is wrong at all, smoke takes half a minute; the gate tells in a minute whether an upgrade may
begin or go on, and breaks nothing; nightly is everything, and breaks pods and workloads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

_SLOW = (
    "images.*",
    "integrity.pushes-survive-garbage-collection",
    "access.docker-login",
    "access.robot-account-pushes-and-pulls",
    "registry.busybox-push-pull",
    "registry.concurrent-pushes",
    "registry.delete-removes",
    "registry.kubelet-pulls-with-pull-secret",
    "registry.repository-appears-in-harbor",
    "sessions.browser-session-through-front-door",
    "storage.job-logs-shared",
)
"""Each takes several seconds, most of them for many pushes, or starts pods, jobs or a browser."""


@dataclass(frozen=True)
class Preset:
    """`only`, `without`: patterns of check ids; `without_marks`: marks of checks; `settings` yield to all others."""

    name: str
    help: str
    only: Collection[str] = ("*",)
    without: Collection[str] = ()
    without_marks: Collection[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def has(self, id: str, marks: Collection[str]) -> bool:
        """Whether a check with this id and these marks belongs to it."""
        return (
            any(fnmatchcase(id, pattern) for pattern in self.only)
            and not any(fnmatchcase(id, pattern) for pattern in self.without)
            and not set(self.without_marks) & set(marks)
        )


ALL = (
    Preset(
        "smoke",
        "a handful of checks, half a minute: parts are there, sign-in, sessions and images are shared",
        only=(
            "access.login-accepts-right-password",
            "configuration.components-replicated",
            "configuration.health-body-is-healthy",
            "database.reachable",
            "registry.pushed-on-one-pulled-on-every",
            "sessions.known-to-every-replica",
            "sessions.stored-in-redis",
            "storage.claims-bound",
            "storage.volume-mounted-in-every-replica",
        ),
    ),
    Preset(
        "gate",
        "before and after an upgrade, a minute: what can be known without breaking anything, building images or "
        "starting pods; what is blocked is an error (--strict-skips)",
        without=_SLOW,
        without_marks=("disruption", "builds", "extended"),
        settings={"strict_skips": True},
    ),
    Preset(
        "nightly",
        "everything that can be done here; deletes pods, restarts and scales workloads (--allow-disruption)",
        settings={"allow_disruption": True},
    ),
)
