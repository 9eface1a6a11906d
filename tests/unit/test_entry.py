"""One cause, one message: what makes every check fail alike is said before any."""

from types import SimpleNamespace

import pytest

from harbor_verify import entry
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import CannotTell, NoAnswer, SettingsError, TargetUnreachable, UnexpectedAnswer
from harbor_verify.profiles import harbor_2

ADMIN = Credentials("admin", "s3cret-word")


class Place:
    """The front door, or a web replica: what it answers, or raises."""

    def __init__(
        self,
        name,
        mode="db_auth",
        user="admin",
        location="",
        marks=("1 library 2026",),
        knows=(),
        read_only=False,
        administrator=True,
    ):
        self.name, self._mode, self._user = name, mode, user
        self._marks, self._knows, self._read_only = marks, knows, read_only
        self._administrator = administrator
        answer = SimpleNamespace(
            status_code=308 if location else 200, is_redirect=bool(location), headers={"Location": location}
        )
        self.http = SimpleNamespace(get=lambda path: answer)

    def close(self):
        pass

    def authentication_mode(self):
        return self._given(self._mode)

    def whoami_by_password(self, credentials):
        assert self.name == "front-door", "single replicas get no password"
        return self._given(self._user)

    def is_administrator(self, credentials):
        assert credentials is ADMIN
        return self._given(self._administrator)

    def is_read_only(self, credentials):
        assert credentials is ADMIN
        return self._given(self._read_only)

    def symptoms(self):
        return "database: answers"

    def birth_marks(self, credentials):
        assert credentials is None, "single replicas get no password"
        return frozenset(self._given(self._marks))

    def sign_in(self, credentials):
        return Session(credentials.user, "cookie-of-the-front-door")

    def whoami(self, session):
        return session.user if session.cookie in self._knows else None

    @staticmethod
    def _given(value):
        if isinstance(value, Exception):
            raise value
        return value


def target(front, *webs, url="http://h.example", inside=False, version="v1.35.1"):
    replicas = [SimpleNamespace(name=web.name) for web in webs]
    by_name = {web.name: web for web in webs}

    def administrator(replica):
        if by_name[replica.name].whoami(front.sign_in(ADMIN)) is None:
            raise CannotTell("no session")
        return "a session"

    return SimpleNamespace(
        administrator=administrator,
        new_front_door=lambda: front,
        url=url,
        namespace="harbor",
        credentials=ADMIN,
        profile=harbor_2.PROFILE,
        front_door=front,
        kubernetes=SimpleNamespace(inside=inside, server="https://api.example", version=lambda: version),
        deployment=SimpleNamespace(replicas=lambda role: replicas),
        workload=lambda role: SimpleNamespace(object="Deployment harbor/harbor-core"),
        web=lambda replica: by_name[replica.name],
    )


def refused(status):
    return UnexpectedAnswer(f"GET /api/v2.0/systeminfo → {status}", status=status)


SILENT = NoAnswer("GET /api/v2.0/systeminfo at web-0: no answer", sent=True)
WELL = [Place("web-0"), Place("web-1")]


@pytest.mark.parametrize(
    "front, webs",
    [
        (Place("front-door"), WELL),
        # One replica that refuses, or is silent, is for checks to say; so is a front door that breaks.
        (Place("front-door", user=SILENT), WELL),
        (Place("front-door", mode=refused(502)), WELL),
        (Place("front-door", mode=SILENT), WELL),
        (Place("front-door", read_only=SILENT), WELL),
        (Place("front-door", administrator=SILENT), WELL),
        # It does not tell.
        (Place("front-door", administrator=None), WELL),
        (Place("front-door", mode=refused(404)), [Place("web-0", mode=SILENT), Place("web-1")]),
        # To another path of the same kind.
        (Place("front-door", location="/harbor/projects"), WELL),
    ],
)
def test_what_only_a_part_gets_wrong_is_left_to_the_checks(front, webs):
    entry.require(target(front, *webs))


@pytest.mark.parametrize("version", ["v1.21.0", "1.22+", "v1.30.4-eks-a737599", "who knows", "v2.0.0"])
def test_a_cluster_that_can_be_asked_is_well(version):
    entry.require(target(Place("front-door"), *WELL, version=version))


def test_a_cluster_that_is_too_old_is_said_once():
    with pytest.raises(TargetUnreachable, match=r"is Kubernetes v1\.20\.15-gke\.100: .* from 1\.21 on"):
        entry.require(target(Place("front-door"), *WELL, version="v1.20.15-gke.100"))


def test_a_way_to_https_is_said_with_the_url_that_is_meant():
    front = Place("front-door", location="https://h.example:8443/")
    with pytest.raises(SettingsError, match=r"--harbor-url https://h\.example:8443"):
        entry.require(target(front, *WELL))


def test_a_password_that_the_front_door_refuses_each_time_is_said_once_and_not_shown():
    with pytest.raises(SettingsError, match="the front door answers 401, 5 times of 5") as told:
        entry.require(target(Place("front-door", user=None), *WELL))
    assert "database: answers" in str(told.value)
    assert "s3cret-word" not in str(told.value)


def test_somebody_who_is_no_administrator_is_said_once():
    with pytest.raises(
        SettingsError, match=r"^admin is no system administrator of this Harbor: .* --admin-user"
    ):
        entry.require(target(Place("front-door", administrator=False), *WELL))


def test_a_harbor_that_was_told_to_take_nothing_is_said_once():
    with pytest.raises(SettingsError, match="is in read-only mode: it refuses every push"):
        entry.require(target(Place("front-door", read_only=True), *WELL))


@pytest.mark.parametrize(
    "webs, seen",
    [
        ([Place("web-0", mode=SILENT), Place("web-1", mode=SILENT)], "web-1: GET"),
        ([], "harbor-core has no pod"),
    ],
)
def test_a_harbor_that_is_down_is_said_once(webs, seen):
    with pytest.raises(TargetUnreachable, match="no core replica answers") as told:
        entry.require(target(Place("front-door", mode=refused(502)), *webs))
    assert seen in str(told.value)


def test_a_url_that_is_something_else_is_said_once():
    with pytest.raises(TargetUnreachable, match="does not lead to the Harbor in namespace harbor"):
        entry.require(target(Place("front-door", mode=refused(404)), *WELL))


OTHER = ("1 library 2019",)


@pytest.mark.parametrize(
    "front, webs",
    [
        # One replica that has another database is for checks to say.
        (Place("front-door"), [Place("web-0", marks=OTHER), Place("web-1")]),
        (Place("front-door"), [Place("web-0", marks=SILENT), Place("web-1")]),
        # Meanwhile somebody made another project.
        (Place("front-door"), [Place("web-0", marks=("1 library 2026", "2 new 2026"))]),
        # Without any project a session shows it.
        (Place("front-door", marks=()), [Place("web-0", marks=(), knows={"cookie-of-the-front-door"})]),
        # What it tells nobody whom it does not know, a session shows.
        (Place("front-door", marks=refused(401)), [Place("web-0", knows={"cookie-of-the-front-door"})]),
    ],
)
def test_url_and_namespace_are_the_same_harbor_where_one_replica_shows_it(front, webs):
    entry.require(target(front, *webs))


@pytest.mark.parametrize(
    "front, webs, seen",
    [
        (
            Place("front-door"),
            [Place("web-0", marks=OTHER), Place("web-1", marks=OTHER)],
            "none of the public projects",
        ),
        (
            Place("front-door"),
            [Place("web-0", marks=OTHER), Place("web-1", marks=SILENT)],
            "web-0, asked directly",
        ),
        (Place("front-door"), [Place("web-0", marks=())], "none of the public projects"),
        (Place("front-door", marks=()), [Place("web-0", marks=())], "knows no session"),
    ],
)
def test_another_harbor_at_the_url_is_told_before_anything_is_made(front, webs, seen):
    with pytest.raises(
        TargetUnreachable, match=r"leads to another Harbor.*--harbor-url and --namespace"
    ) as told:
        entry.require(target(front, *webs))
    assert seen in str(told.value)


@pytest.mark.parametrize(
    "inside, advice", [(False, "--harbor-url and"), (True, "grant create pods/portforward")]
)
def test_where_no_replica_answers_nothing_is_tried_on_what_may_be_another_harbor(inside, advice):
    silent = [Place("web-0", marks=SILENT), Place("web-1", marks=SILENT)]
    with pytest.raises(TargetUnreachable, match="no core replica of namespace harbor does") as told:
        entry.require(target(Place("front-door"), *silent, inside=inside))
    assert advice in str(told.value)
