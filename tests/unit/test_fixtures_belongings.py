"""What a run makes in Harbor for itself, with a Harbor of a few lines."""

from types import SimpleNamespace

import pytest

from fixtures import belongings
from harbor_verify.cleanup import Cleanup
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NotApplicable, UnexpectedAnswer
from harbor_verify.redaction import Redaction
from harbor_verify.verdict import Failure

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

    def symptoms(self):
        return "database: GET /api/projects → 500"


@pytest.fixture
def state(monkeypatch):
    removed = []
    monkeypatch.setattr(belongings.cleanup, "remove_project", lambda target, name: removed.append(name))
    monkeypatch.setattr(belongings.cleanup, "remove_user", lambda target, name: removed.append(name))

    def make(**front_door):
        target = SimpleNamespace(
            front_door=FrontDoor(**front_door), credentials=ADMIN, access=SimpleNamespace(url="http://h")
        )
        return SimpleNamespace(
            target=target,
            report=SimpleNamespace(id=RUN),
            cleanup=Cleanup(),
            redaction=Redaction(),
            settings=SimpleNamespace(strict_skips=False),
            removed=removed,
        )

    return make


def new_user(state):
    return belongings.new_user.__wrapped__(state)


def test_the_projects_of_a_run_carry_its_id_and_are_removed_at_the_end(state):
    run = state()
    private, public = (each.__wrapped__(run) for each in (belongings.project, belongings.public_project))
    assert run.target.front_door.made == [("project", private, False), ("project", public, True)]
    assert (private, public) == (f"verify-{RUN}", f"verify-{RUN}-p")
    assert belongings.cleanup._PROJECT.fullmatch(public), "a later run must know it"
    assert run.cleanup.perform() == []
    assert run.removed == [public, private]


def test_each_user_is_another_whom_a_later_run_would_know_and_is_removed_at_the_end(state):
    run = state()
    make = new_user(run)
    one, other = make(), make()
    assert one.user != other.user
    assert one.password != other.password
    assert [(user, run_id) for _, user, run_id in run.target.front_door.made] == [(one, RUN), (other, RUN)]
    assert belongings.cleanup._USER.fullmatch(one.user)
    run.cleanup.perform()
    assert run.removed == [other.user, one.user]


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
def test_what_harbor_does_not_make_is_its_failure_and_is_removed_all_the_same(state, what):
    """An answer may be lost: it may be there."""
    run = state(refuses=REFUSED)
    with pytest.raises(Failure) as failure:
        new_user(run)() if what == "user" else belongings.project.__wrapped__(run)
    (offender,) = failure.value.offenders
    assert offender.object == "front door http://h"
    assert offender.expected == f"a {what} can be made by admin"
    assert offender.observed == "POST → 500. database: GET /api/projects → 500"
    run.cleanup.perform()
    assert len(run.removed) == 1


@pytest.mark.parametrize("mode", ["ldap_auth", "oidc_auth"])
def test_where_users_come_from_elsewhere_none_is_made_and_that_is_told(state, mode):
    run = state(mode=mode)
    with pytest.raises(NotApplicable, match=f"auth_mode {mode}.* NOT verified"):
        new_user(run)()
    assert run.target.front_door.made == []
