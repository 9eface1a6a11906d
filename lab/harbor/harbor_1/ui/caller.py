"""What somebody who makes a request may do."""

from ..database import Row
from .records import projects


class Caller:
    """Nobody in particular: sees what is public."""

    name = ""
    is_authenticated = False
    is_admin = False

    def role(self, project_id: int) -> int:
        """0 is none."""
        return 0

    @property
    def user_id(self) -> int | None:
        return None

    @property
    def sees_all(self) -> bool:
        return self.is_admin

    def may_read(self, project: Row) -> bool:
        return project["public"] == 1 or self.sees_all or self.role(project["project_id"]) != 0

    def may_write(self, project: Row) -> bool:
        roles = (projects.ADMINISTRATOR, projects.DEVELOPER)
        return self.is_admin or self.role(project["project_id"]) in roles

    def may_manage(self, project: Row) -> bool:
        return self.is_admin or self.role(project["project_id"]) == projects.ADMINISTRATOR
