"""What a run has in Harbor for itself: projects, users, robots. It stands in the ledger, and is removed at the end.

The administrator's password goes to the front door and nowhere else. Whoever else is asked (a single replica, the realm
that a registry names, a docker daemon, other clients, a kubelet by its pull secret) gets a user of the run's own, who
administers the run's projects and nothing else.
"""

import secrets
import threading
from collections.abc import Callable
from functools import partial
from typing import cast

from harbor_verify import cleanup, known_secrets
from harbor_verify.clients.capabilities import HasRobots, Robot
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import AnswerError, NeedMissing, NotApplicable
from harbor_verify.model.roles import Feature, Standing
from harbor_verify.redaction import Redaction
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender

_OWN_MODES = ("db_auth", "")
"""With these Harbor has users of its own; with others they come from LDAP or a provider of identities."""


class Belongings:
    """Makes what a run needs, each thing at most once but for `new_user` and `robot`."""

    def __init__(
        self,
        target: Target,
        redaction: Redaction,
        run_id: str,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`tell` is told where the administrator has to be asked in place of a user of the run's own."""
        self._target, self._redaction, self._run_id, self._tell = target, redaction, run_id, tell
        self._lock = threading.RLock()
        self._user: Credentials | None = None
        self._no_user: Exception | None = None
        self._client: Credentials | None = None
        self._projects: dict[str, str | Failure] = {}
        self._machines: dict[str, Robot | None] = {}
        """By project; None: the run's user stands in for it."""

    @property
    def user(self) -> Credentials:
        """Who the run is to single replicas: the user of its own.

        Where Harbor makes none (LDAP, OIDC, or it fails), it is the administrator, to web replicas alone.
        """
        return self._own_user() or self._target.credentials

    @property
    def client(self) -> Credentials:
        """Who the run is to docker, other clients, realms and kubelets; never the administrator.

        Where Harbor has no users of its own, a robot of the run's project. Raises Failure where Harbor makes neither,
        NotApplicable where it cannot.
        """
        with self._lock:
            if self._client is None:
                self._client = self._own_user() or self._robot_in_place_of_a_user()
            return self._client

    def machine(self, project: str) -> Credentials:
        """Who a machine (a CI system) is that works in a project of the run's own: a robot that pushes and pulls there
        and labels; where there are none, or Harbor makes none, `user`.

        A robot's secret costs Harbor little; a password, from 2.15.2 on, a tenth of a second of a processor.
        """
        with self._lock:
            if project not in self._machines:
                self._machines[project] = None
                if Feature.ROBOTS in self._target.profile.features:
                    try:
                        self._machines[project] = self.robot(project, "-m")
                    except Failure as refusal:
                        self._tell(
                            f"clients at work use the run's user, for Harbor makes no robot: {refusal}"
                        )
            robot = self._machines[project]
            return robot.credentials if robot else self.user

    def machine_robots(self) -> list[Robot]:
        """All machines that are robots."""
        with self._lock:
            return [robot for robot in self._machines.values() if robot]

    def forget_machine(self, lost: Robot) -> None:
        """The next who asks for this machine gets another: Harbor has lost it."""
        with self._lock:
            self._machines = {project: each for project, each in self._machines.items() if each != lost}

    def new_user(self) -> Credentials:
        """An ordinary user in no project. Raises NotApplicable where users come from somewhere else, Failure."""
        try:
            return self._make_user()
        except AnswerError as refusal:
            raise self._not_made("a user", refusal) from refusal

    def project(self, suffix: str = "", *, public: bool = False) -> str:
        """The name of a project of the run's own, whose user administers it. Raises Failure when Harbor makes none."""
        with self._lock:
            name = f"{cleanup.project_name(self._run_id)}{suffix}"
            if name not in self._projects:
                try:
                    self._make_project(name, public=public)
                except Failure as failure:
                    self._projects[name] = failure
                else:
                    self._projects[name] = name
            made = self._projects[name]
        if isinstance(made, Failure):
            raise made
        return made

    def robot(self, project: str, suffix: str = "") -> Robot:
        """A robot account of a project of the run's own. Raises Failure when Harbor makes none."""
        target, name = self._target, f"{cleanup.project_name(self._run_id)}{suffix}"
        front, admin = cast(HasRobots, target.front_door), target.credentials
        entry = target.ledger.made(cleanup.ROBOT, name, project=project)
        try:
            of = target.front_door.projects(project, admin)[project]
            robot: Robot = cleanup.making(target.ledger, entry, partial(front.create_robot, name, of, admin))
        except (AnswerError, KeyError) as refusal:
            raise self._not_made(f"a robot account of {project}", refusal) from refusal
        self._redaction.learn(*known_secrets.of_credentials(robot.credentials))
        target.ledger.amend(entry, id=robot.id)
        return robot

    def _own_user(self) -> Credentials | None:
        """None where there is none, which is told once."""
        with self._lock:
            if self._user is None and self._no_user is None:
                try:
                    self._user = self._make_user()
                except (AnswerError, NotApplicable) as none:
                    self._no_user = none
                    self._target.ask_replicas_as_administrator()
                    self._tell(
                        "single web replicas are asked as the administrator, for Harbor makes no user for the suite: "
                        f"{none}"
                    )
            return self._user

    def _make_user(self) -> Credentials:
        target = self._target
        user = Credentials(cleanup.user_name(), f"Aa1{secrets.token_hex(8)}")
        self._redaction.learn(*known_secrets.of_credentials(user))
        mode = target.front_door.authentication_mode()
        if mode not in _OWN_MODES:
            raise NotApplicable(
                f"users come from elsewhere (auth_mode {mode}), and Harbor makes none for the suite: what ordinary "
                "users may do and see was NOT verified"
            )
        entry = target.ledger.made(cleanup.USER, user.user)
        make = partial(target.front_door.create_user, user, target.credentials, run_id=self._run_id)
        cleanup.making(target.ledger, entry, make)
        return user

    def _make_project(self, name: str, *, public: bool) -> None:
        target, admin = self._target, self._target.credentials
        entry = target.ledger.made(cleanup.PROJECT, name)
        try:
            make = partial(target.front_door.create_project, name, admin, public=public)
            cleanup.making(target.ledger, entry, make)
        except AnswerError as refusal:
            raise self._not_made("a project", refusal) from refusal
        user = self._own_user()
        if user is None:
            return
        role = target.profile.member_roles[Standing.ADMINISTRATOR]
        try:
            made = target.front_door.projects(name, admin)[name]
            target.front_door.add_member(made, user.user, role, admin)
        except (AnswerError, KeyError) as refusal:
            raise self._not_made(f"a member of project {name}", refusal) from refusal

    def _robot_in_place_of_a_user(self) -> Credentials:
        if isinstance(self._no_user, AnswerError):
            raise self._not_made("a user", self._no_user)
        if Feature.ROBOTS not in self._target.profile.features:
            raise NeedMissing(
                f"{self._no_user}; a docker client would have to be given the administrator's password, and is not"
            )
        return self.robot(self.project(), "-c").credentials

    def _not_made(self, what: str, refusal: Exception) -> Failure:
        harbor = self._target
        observed = f"{refusal}. {harbor.front_door.symptoms()}"
        expected = f"{what} can be made by {harbor.credentials.user}"
        return Failure([Offender(f"front door {harbor.access.url}", expected, observed)])
