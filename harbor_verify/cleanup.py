"""What the suite makes in Harbor carries the run's id, and is removed: at the end, after Ctrl-C, or by the next run."""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial

from harbor_verify.clients.harbor import VALUE_PROJECT, Project
from harbor_verify.errors import AnswerError, HarnessError, UnexpectedAnswer
from harbor_verify.target import Target
from harbor_verify.verdict import Failure
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.side_by_side import side_by_side

_AT_A_TIME = 4

_RUN_ID = re.compile(r"\d{8}t\d{6}-[0-9a-f]{4}")
_USER = re.compile(r"verify-[0-9a-f]{8}")
_PROJECT = re.compile(rf"verify-{_RUN_ID.pattern}(-[a-z]+)?|{VALUE_PROJECT}")


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


class Cleanup:
    """What is to be undone, newest first."""

    def __init__(self) -> None:
        self._undo: list[tuple[str, Callable[[], object]]] = []

    def later(self, what: str, undo: Callable[[], object]) -> None:
        """Remember to undo something; register it before doing it, so that an interruption loses nothing.

        `undo` must not mind when there is nothing to undo.
        """
        self._undo.append((what, undo))

    def perform(self, tell: Callable[[str], object] = lambda text: None) -> list[str]:
        """Undo everything, whatever fails; what failed is returned, a line each. `tell` is for people who wait."""
        failed = []
        if self._undo:
            tell("removing what this run made")
        while self._undo:
            what, undo = self._undo.pop()
            try:
                undo()
            except (HarnessError, Failure) as error:
                failed.append(f"{what}: {' '.join(str(error).split())}")
        return failed


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


def user_leftovers(target: Target) -> list[str]:
    """Users that a killed run left; as for projects, only whoever holds the Lease may ask."""
    return [name for name in target.front_door.users("verify-", target.credentials) if _USER.fullmatch(name)]


def leftovers(target: Target) -> list[str]:
    """Projects that a killed run left. Only whoever holds the namespace's Lease may ask: else they may be in use."""
    return [
        name for name in target.front_door.projects("verify-", target.credentials) if _PROJECT.fullmatch(name)
    ]
