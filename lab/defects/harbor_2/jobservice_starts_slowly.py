"""The entry point of jobservice does something else for a minute first, as one that changes the owner of each file."""

from lab.defects import Defect
from lab.deployment import images
from lab.deployment.manifests.objects import Object, container_of

_S = 75
"""Longer than what users allow for by default until a container is there again."""


def _delay(objects: list[Object]) -> None:
    container = container_of(objects, "harbor-jobservice")
    container["command"] = [
        "sh",
        "-c",
        f'sleep {_S}; exec "$@"',
        "sh",
        *images.entry_point(container["image"]),
    ]


DEFECT = Defect(
    report="bitnami charts: volumePermissions, chown -R at each start",
    shows="nothing, until jobservice dies: jobs wait for longer than anybody expects",
    turns_red=frozenset({"failover.job-outlives-job-kill"}),
    hint_says=("takes long to start",),
    change=_delay,
    alone=True,  # whatever else restarts it would wait for minutes
)
