"""A garbage collection is killed in its sweep: the database goes on saying of a blob that it is being deleted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lab import machine_control
from lab.defects import Defect, Lab, containers, executions, left_images
from lab.errors import LabError
from lab.waiting import NotYet, wait_until

_REPOSITORY = "library/swept"
_CONTENT = b"a layer that was to be deleted, " * 20
DIGEST = left_images.digest_of(_CONTENT)
_COLLECTIONS = "/api/v2.0/system/gc"
_BEGUN, _OVER = f"delete blob from storage: {DIGEST}", "success to run gc in job"
_DEADLINE_S = 90
_PLANTED = "20 minutes"
"""How long ago the kill was: longer than a sweep takes, shorter than pushes are refused for."""


def _kill(lab: Lab) -> None:
    _forget(lab)
    # Nothing but the one blob is to be swept by the collection that is killed.
    _await_log(lab, _collect(lab), _OVER)
    push(lab, expected=201)
    age(lab, "3 hours")
    control = machine_control.MachineControl(lab.profile.database)
    with _frozen(control, containers.running(lab, "registry", "registryctl")):
        killed = _collect(lab)
        _await_log(lab, killed, _BEGUN)
        for node, container in containers.running(lab, "jobservice", "jobservice"):
            control.kill_container(node, container)
    lab.kubectl(
        "rollout",
        "status",
        "deployment/harbor-jobservice",
        f"--namespace={lab.profile.namespace}",
        f"--timeout={_DEADLINE_S}s",
    )
    # Whoever is left takes the job up again, and passes that blob over.
    _await_log(lab, killed, _OVER)
    age(lab, _PLANTED)


def push(lab: Lab, *, expected: int | tuple[int, ...]) -> int:
    """Upload the layer, and return what was said to its last request. Raises LabError for anything unexpected."""
    begun = left_images.ask(lab, "POST", f"/v2/{_REPOSITORY}/blobs/uploads/", expected=202)
    place = urlsplit(begun.headers["Location"])
    target = f"{place.path}?{place.query}&digest={DIGEST}"
    return left_images.ask(lab, "PUT", target, _CONTENT, "application/octet-stream", expected=expected).status


def age(lab: Lab, interval: str) -> None:
    """Have the row of the layer be changed so long ago, e.g. 3 hours."""
    lab.sql(
        f"UPDATE blob SET update_time = CURRENT_TIMESTAMP - interval '{interval}' WHERE digest = '{DIGEST}'"
    )


def _forget(lab: Lab) -> None:
    lab.sql(
        f"""DELETE FROM project_blob WHERE blob_id IN (SELECT id FROM blob WHERE digest = '{DIGEST}');
        DELETE FROM blob WHERE digest = '{DIGEST}'"""
    )


def _collect(lab: Lab) -> int:
    """Start a collection; its number."""
    wanted = json.dumps({"schedule": {"type": "Manual"}, "parameters": {"workers": 1}}).encode()
    answer = left_images.ask(
        lab, "POST", f"{_COLLECTIONS}/schedule", wanted, "application/json", expected=201
    )
    return int(answer.headers["Location"].rpartition("/")[2])


def _await_log(lab: Lab, collection: int, words: str) -> None:
    def look() -> None:
        try:
            said = left_images.ask(lab, "GET", f"{_COLLECTIONS}/{collection}/log", expected=200).body
        except LabError as nobody:  # who wrote it may have been killed
            raise NotYet(str(nobody)) from nobody
        if words.encode() not in said:
            raise NotYet(f"its log ends with {said[-200:]!r}")

    wait_until(f"garbage collection {collection} says: {words}", look, deadline_s=_DEADLINE_S, interval_s=0.5)


@contextmanager
def _frozen(control: machine_control.MachineControl, frozen: containers.Containers) -> Iterator[None]:
    try:
        for node, container in frozen:
            control.pause_container(node, container)
        yield
    finally:
        for node, container in frozen:
            control.resume_container(node, container)


DEFECT = Defect(
    report="h#23116; pkg/blob: none, delete, deleting",
    shows="who pushes that layer is told 404 for up to two hours; every later garbage collection passes it over",
    turns_red=frozenset({"integrity.no-blob-left-deleting"}),
    hint_says=("404 for up to two hours",),
    takes=frozenset({left_images.REPOSITORY, executions.COLLECTIONS}),
    plant_outside=_kill,
    heal_outside=_forget,
)
