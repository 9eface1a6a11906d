"""Jobservice asks core for the database when it starts, and never again: with another in its place it is restarted.

Else it works with the one before, which is a defect, and not the one that was asked for.
"""

from lab.deployment import rollout
from lab.deployment.manifests.objects import find
from lab.errors import LabError
from lab.profiles import Profile


def follow(kubectl: rollout.Kubectl, profile: Profile) -> None:
    """Restart it where core is told of another database than when this was called last.

    Raises CommandFailed, NotReady.
    """
    try:
        core = find(rollout.rendered(profile.folder), "ConfigMap", "harbor-core")["data"]
        place = f"{core['POSTGRESQL_HOST']}:{core['POSTGRESQL_PORT']}"
    except (FileNotFoundError, LabError, KeyError):
        return  # This Harbor has no such settings, or is rendered by somebody.
    note = profile.folder / "jobs-are-in"
    if note.exists() and note.read_text() != place:
        rollout.restart(kubectl, profile, "harbor-jobservice")
    note.write_text(place)
