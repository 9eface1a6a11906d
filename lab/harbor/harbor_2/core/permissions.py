"""What somebody may do with the repositories of a project."""

from ..database import Database, Row
from .harbor import Caller
from .records import members, projects, robots

_ORDER = ("pull", "push", "delete")


def project_named(database: Database, name: str) -> Row | None:
    return projects.by_name(database, name)


def actions(database: Database, caller: Caller | None, project_name: str) -> list[str]:
    """pull, push, delete: those that are allowed; none where there is no such project. Raises DatabaseError.

    Of the user of a session it must be known already whether they are an administrator (callers.known).
    """
    project = projects.by_name(database, project_name)
    if project is None:
        return []
    allowed = {"pull"} if projects.is_public(project) else set()
    if caller is not None:
        allowed |= _own(database, caller, project)
    return [action for action in _ORDER if action in allowed]


def _own(database: Database, caller: Caller, project: Row) -> set[str]:
    if caller.is_admin or caller.is_program:
        return set(_ORDER)
    if caller.robot is not None:
        return robots.actions(caller.robot, project["name"])
    role = members.role(database, project["project_id"], caller.user_id)
    return set(members.ACTIONS[role]) if role else set()
