"""What a run makes in Harbor for itself, with a Harbor of a few lines."""

from types import SimpleNamespace

import pytest

from fixtures import belongings
from harbor_verify.belongings import Belongings
from harbor_verify.clients.capabilities import Robot
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.errors import NeedMissing, NotApplicable, UnexpectedAnswer
from harbor_verify.profiles import harbor_1_2, harbor_2
from harbor_verify.redaction import Redaction
from harbor_verify.verdict import Failure
from tests.unit.ledgers import MemoryLedger

ADMIN = Credentials("admin", "Harbor12345")
RUN = "20261124t023015-ab12"
REFUSED = UnexpectedAnswer("POST → 500", status=500)


class FrontDoor:
    """Keeps what was made; `refuses` to make anything."""

    def __init__(self, mode="db_auth", refuses=None):
        self.mode, self.refuses, self.made = mode, refuses, []

    def authentication_mode(self):
        return self.mode

    def _make(self, *what):
        if self.refuses:
            raise self.refuses
        self.made.append(what)

    def create_project(self, name, credentials, *, public):
        assert credentials is ADMIN
        self._make("project", name, public)

    def create_user(self, user, credentials, *, run_id):
        assert credentials is ADMIN
        self._make("user", user, run_id)

    def projects(self, name, credentials):
        return {name: Project(name, 1)}

    def create_robot(self, name, project, credentials):
        self._make("robot", name, project.name)
        return Robot(7, Credentials(f"robot${name}", "a-robots-secret"))

    def add_member(self, project, user, role, credentials):
        assert (credentials, role) == (ADMIN, 1)
        self.made.append(("member", project.name, user))

    def symptoms(self):
        return "database: GET /api/projects → 500"


@pytest.fixture
def state():
    def make(**front_door):
        target = SimpleNamespace(
            front_door=FrontDoor(**front_door),
            credentials=ADMIN,
            access=SimpleNamespace(url="http://h"),
            ledger=MemoryLedger(RUN),
            profile=harbor_2.PROFILE,
            ask_replicas_as_administrator=lambda: told.append("asked as the administrator"),
        )
        told, redaction = [], Redaction()
        target.belongings = Belongings(target, redaction, RUN, tell=told.append)
        return SimpleNamespace(
            target=target,
            report=SimpleNamespace(id=RUN),
            redaction=redaction,
            told=told,
            settings=SimpleNamespace(strict_skips=False),
        )

    return make


def new_user(state):
    return belongings.new_user.__wrapped__(state)


def test_the_projects_of_a_run_carry_its_id_and_stand_in_the_ledger(state):
    run = state()
    private, public = (each.__wrapped__(run) for each in (belongings.project, belongings.public_project))
    (user,) = run.target.ledger.names("user")
    assert [each for each in run.target.front_door.made if each[0] != "user"] == [
        ("project", private, False),
        ("member", private, user),
        ("project", public, True),
        ("member", public, user),
    ]
    assert (private, public) == (f"verify-{RUN}", f"verify-{RUN}-p")
    assert run.target.ledger.names("project") == {private, public}


def test_each_user_is_another_and_stands_in_the_ledger(state):
    run = state()
    make = new_user(run)
    one, other = make(), make()
    assert one.user != other.user
    assert one.password != other.password
    assert [(user, run_id) for _, user, run_id in run.target.front_door.made] == [(one, RUN), (other, RUN)]
    assert run.target.ledger.names("user") == {one.user, other.user}


def test_the_password_of_a_user_is_known_to_the_redaction(state):
    run = state()
    user = new_user(run)()
    assert user.password not in run.redaction.text(f"signed in with {user.password}")


def test_a_password_is_one_that_harbor_takes(state):
    password = new_user(state())().password
    assert 8 <= len(password) <= 20
    assert any(c.isupper() for c in password)
    assert any(c.islower() for c in password)
    assert any(c.isdigit() for c in password)


@pytest.mark.parametrize("what", ["project", "user"])
def test_what_harbor_does_not_make_is_its_failure_and_stands_in_the_ledger_all_the_same(state, what):
    """An answer may be lost: it may be there."""
    run = state(refuses=REFUSED)
    with pytest.raises(Failure) as failure:
        new_user(run)() if what == "user" else belongings.project.__wrapped__(run)
    (offender,) = failure.value.offenders
    assert offender.object == "front door http://h"
    assert offender.expected == f"a {what} can be made by admin"
    assert offender.observed == "POST → 500. database: GET /api/projects → 500"
    assert len(run.target.ledger.names(what)) == 1


@pytest.mark.parametrize("what", ["project", "user"])
def test_a_name_that_somebody_else_has_is_not_ours_to_remove(state, what):
    run = state(refuses=UnexpectedAnswer("POST → 409", status=409))
    with pytest.raises(Failure):
        new_user(run)() if what == "user" else belongings.project.__wrapped__(run)
    assert run.target.ledger.entries() == []


@pytest.mark.parametrize("ends", ["before", "after"])
def test_a_robot_stands_in_the_ledger_before_it_is_made_and_with_its_number_after(state, ends):
    run = state(refuses=REFUSED if ends == "before" else None)
    make = belongings.new_robot.__wrapped__(run)
    if ends == "before":
        with pytest.raises(Failure, match="a robot account of p can be made by admin"):
            make("p")
    else:
        robot = make("p")
        assert robot.credentials.password not in run.redaction.text(f"with {robot.credentials.password}")
    (entry,) = run.target.ledger.entries()
    assert entry.more == {"project": "p"} | ({"id": 7} if ends == "after" else {})


@pytest.mark.parametrize("mode", ["ldap_auth", "oidc_auth"])
def test_where_users_come_from_elsewhere_none_is_made_and_that_is_told(state, mode):
    run = state(mode=mode)
    with pytest.raises(NotApplicable, match=f"auth_mode {mode}.* NOT verified"):
        new_user(run)()
    assert run.target.front_door.made == []


def test_replicas_and_docker_clients_get_one_user_of_the_runs_own(state):
    own = state().target.belongings
    assert own.user == own.client == own.user
    assert own.user.user.startswith("verify-")


def test_where_harbor_has_no_users_of_its_own_docker_clients_get_a_robot_and_replicas_the_administrator(
    state,
):
    run = state(mode="oidc_auth")
    assert run.target.belongings.client == Credentials(f"robot$verify-{RUN}-c", "a-robots-secret")
    assert run.target.belongings.user is ADMIN
    assert run.told[0] == "asked as the administrator"
    assert "auth_mode oidc_auth" in run.told[1]


def test_no_docker_client_is_ever_the_administrator(state):
    """A Harbor without robots and without users of its own, and one that makes none."""
    run = state(mode="ldap_auth")
    run.target.profile = harbor_1_2.PROFILE
    with pytest.raises(NeedMissing, match="would have to be given the administrator's password"):
        assert run.target.belongings.client
    refusing = state(refuses=REFUSED).target.belongings
    with pytest.raises(Failure, match="a user can be made by admin"):
        assert refusing.client
    assert refusing.user is ADMIN


def test_a_machine_is_a_robot_of_the_project_made_once(state):
    run = state()
    harbor = run.target.belongings
    project = harbor.project()
    machine = harbor.machine(project)
    assert machine == harbor.machine(project) == Credentials(f"robot$verify-{RUN}-m", "a-robots-secret")
    assert [each for each in run.target.front_door.made if each[0] == "robot"] == [
        ("robot", f"verify-{RUN}-m", project)
    ]
    assert "a-robots-secret" not in run.redaction.text("its secret is a-robots-secret")
    assert [robot.credentials for robot in harbor.machine_robots()] == [machine]
    harbor.forget_machine(harbor.machine_robots()[0])
    assert harbor.machine_robots() == []
    assert harbor.machine(project) == machine, "another one of that name, as Harbor has lost the first"
    assert len([each for each in run.target.front_door.made if each[0] == "robot"]) == 2


def test_where_harbor_makes_no_robot_a_machine_is_the_runs_user_and_it_is_told(state):
    run = state()
    harbor = run.target.belongings
    project, user = harbor.project(), harbor.user
    run.target.front_door.refuses = REFUSED
    assert harbor.machine(project) == user
    assert harbor.machine_robots() == []
    assert "makes no robot" in run.told[-1]
    older = state()
    older.target.profile = harbor_1_2.PROFILE
    assert older.target.belongings.machine("p") == older.target.belongings.user
    assert older.told == []
