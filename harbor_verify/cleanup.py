"""What a run makes, and how each kind of it is removed: by the names that stand in the ledger, whoever asks."""

import os
import platform
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from typing import Any

from kubernetes import client

from harbor_verify.clients.docker import Docker, split_reference
from harbor_verify.clients.harbor import Project
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.ledger import Entry, Ledger
from harbor_verify.side_by_side import side_by_side
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

PROJECT, USER, ROBOT, VALUES, LOCAL_IMAGE = "project", "user", "robot", "values", "local image"
"""Kinds of what is made, beside those that Kubernetes has names for."""
RUN_LABEL = "harbor-verify/run"
"""On whatever the suite makes in Kubernetes; its value is the run's id."""
_AT_A_TIME = 4
_CONFLICT = 409
_DOCKER_TIMEOUT_S = 30


def new_run_id(now: datetime) -> str:
    """20261124t023015-ab12: the time (UTC), and something that two runs of one second do not share."""
    return f"{now:%Y%m%dt%H%M%S}-{secrets.token_hex(2)}"


def project_name(run_id: str) -> str:
    """The project of a run. The strictest Harbor allows 2 to 30 characters: lower case, digits, `._-` between them."""
    return f"verify-{run_id}"


def user_name() -> str:
    """A name for a user of the suite's own.

    The strictest Harbor allows 20 characters: the run's id goes with its real name.
    """
    return f"verify-{secrets.token_hex(4)}"


def holder(run_id: str) -> str:
    """Who this run is, for others who want the same namespace."""
    return f"run {run_id}, process {os.getpid()} on {os.uname().nodename}"


def local_image(ledger: Ledger, reference: str) -> None:
    """Write down that an image is about to be made in this machine's docker daemon.

    In a repository of the run's own: whatever the daemon has of that is the run's.
    """
    ledger.made(LOCAL_IMAGE, reference, machine=platform.node())


def making(ledger: Ledger, entry: Entry, make: Callable[[], Any]) -> Any:
    """Make what was written down, and return what that returned; a name that somebody else has is struck out.

    Raises AnswerError.
    """
    try:
        return make()
    except UnexpectedAnswer as refusal:
        if refusal.status == _CONFLICT:
            ledger.drop(entry)
        raise


def remove(target: Target, entry: Entry) -> str:
    """Remove what an entry says was made in Harbor; what was done, in a line. A second call has nothing to do.

    Raises AnswerError, DeadlinePassed.
    """
    _IN_HARBOR[entry.kind](target, entry)
    return f"removed {entry.kind} {entry.name}"


def remove_object(kubernetes: Kubernetes, namespace: str, entry: Entry) -> str:
    """The same of a pod or Secret: one of that name that is not the run's own is left, and nothing is said.

    Raises TargetUnreachable.
    """
    core = kubernetes.core
    read, delete = {
        "Pod": (core.read_namespaced_pod, core.delete_namespaced_pod),
        "Secret": (core.read_namespaced_secret, core.delete_namespaced_secret),
    }[entry.kind]
    with kubernetes.asking(f"delete {entry.kind} {namespace}/{entry.name}"):
        try:
            present = read(entry.name, namespace)
            if (present.metadata.labels or {}).get(RUN_LABEL) != entry.run:
                return ""
            same = client.V1Preconditions(uid=present.metadata.uid)
            now = client.V1DeleteOptions(grace_period_seconds=0, preconditions=same)
            delete(entry.name, namespace, body=now)
        except client.ApiException as answer:
            if answer.status not in (404, _CONFLICT):
                raise
            return ""
    return f"removed {entry.kind} {entry.name}"


def remove_objects(ledger: Ledger, kubernetes: Kubernetes, namespace: str) -> None:
    """Remove the pods and Secrets that were made, and strike them out. Raises TargetUnreachable."""
    for entry in ledger.entries():
        if entry.kind in IN_KUBERNETES:
            remove_object(kubernetes, namespace, entry)
            ledger.drop(entry)


def remove_local_image(docker_host: str | None, entry: Entry) -> str:
    """The same of an image in a docker daemon, and of all else in its repository; of another machine's the command is
    told.

    Raises DockerDaemonFailed.
    """
    machine = entry.more.get("machine")
    if machine != platform.node():
        return f"local image {entry.name} is not of this machine: on {machine} run docker rmi {entry.name}"
    daemon = Docker(docker_host, timeout_s=_DOCKER_TIMEOUT_S)
    try:
        for name in (entry.name, *daemon.names_in(split_reference(entry.name)[0])):
            daemon.remove(name)
    finally:
        daemon.close()
    return f"removed local image {entry.name}"


def remove_project(target: Target, name: str) -> None:
    """Remove a project with its repositories; that it is not there is well.

    Again and again for a while: Harbor lists what was pushed some time later, a project with repositories is not
    deleted (412), and of several replicas one may be unwell (5xx). Raises AnswerError, DeadlinePassed.
    """
    harbor, credentials = target.front_door, target.credentials
    project = harbor.projects(name, credentials).get(name)
    if project is None:
        return
    target.adopt()
    _remove_repositories(target, project)

    def delete() -> None:
        try:
            harbor.delete_project(project, credentials)
        except UnexpectedAnswer as refusal:
            if refusal.status >= 500:
                raise NotYet(str(refusal)) from refusal
            if refusal.status != 412:
                raise
            raise NotYet(
                f"{refusal}, with repositories {harbor.repositories(project, credentials)}"
            ) from refusal

    wait_until(
        f"project {name} is deleted",
        delete,
        deadline="request_timeout_s",
        timeout_s=target.settings.request_timeout_s,
        interval_s=1,
    )


def _remove_repositories(target: Target, project: Project) -> None:
    """Several at a time, for one takes Harbor as long as there are images in it; what is refused stays."""
    credentials = target.credentials
    with ExitStack() as stack, suppress(AnswerError):
        names = target.front_door.repositories(project, credentials)
        lanes = []
        for number in range(min(_AT_A_TIME, len(names))):
            link = target.new_front_door_link()
            stack.callback(link.close)
            harbor = target.profile.api(link)
            lanes.append(
                [partial(harbor.delete_repository, name, credentials) for name in names[number::_AT_A_TIME]]
            )
        side_by_side(lanes)


def remove_user(target: Target, name: str) -> None:
    """Remove a user; that there is none is well. Raises AnswerError."""
    harbor, credentials = target.front_door, target.credentials
    user_id = harbor.users(name, credentials).get(name)
    if user_id is not None:
        harbor.delete_user(user_id, credentials)


def _remove_robot(target: Target, entry: Entry) -> None:
    """By its number; one whose number was not noted any more goes with its project."""
    if isinstance(number := entry.more.get("id"), int):
        target.front_door.delete_robot(number, target.credentials)  # type: ignore[attr-defined]  # Feature.ROBOTS


def _remove_values(target: Target, entry: Entry) -> None:
    harbor, credentials, name = target.front_door, target.credentials, str(entry.more.get("project"))
    project = harbor.projects(name, credentials).get(name) or Project(name, 0)
    try:
        ids = harbor.values(project, entry.name, credentials).values()
    except UnexpectedAnswer as refusal:
        if refusal.status in (400, 404):
            return  # They were of the project, and went with it.
        raise
    for number in ids:
        harbor.remove_value(number, credentials)


_IN_HARBOR: Mapping[str, Callable[[Target, Entry], None]] = {
    PROJECT: lambda target, entry: remove_project(target, entry.name),
    USER: lambda target, entry: remove_user(target, entry.name),
    ROBOT: _remove_robot,
    VALUES: _remove_values,
}
IN_HARBOR = frozenset(_IN_HARBOR)
IN_KUBERNETES = frozenset({"Pod", "Secret"})
