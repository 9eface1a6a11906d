"""The checks of access on a Harbor of a few lines: green on a sound one, red with every offender on a broken one."""

import itertools
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Challenge, Upload
from harbor_verify.clients.token_service import Token
from harbor_verify.errors import DockerDaemonFailed, DockerRefused, NoAnswer, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.profiles.harbor_1_2 import PROFILE
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.verdict import Failure
from suites.access import test_projects as of_projects
from suites.access import test_realm as of_realm
from suites.access import test_tokens as of_tokens
from suites.access.test_docker_login import (
    test_docker_logs_in_with_the_right_password_each_time_and_never_with_a_wrong_one as docker_login,
)
from suites.access.test_logout import (
    test_who_logs_out_on_one_replica_is_unknown_to_every_other as logged_out,
)
from suites.access.test_refused_login import (
    test_a_wrong_password_lets_nobody_in_on_any_replica as refused,
)
from tests.unit.running import examine, offenders_of

ADMIN, STRANGER = Credentials("admin", "right"), Credentials("stranger", "right")
REFUSED = UnexpectedAnswer("→ 401", status=401)
FAILED = UnexpectedAnswer("→ 500", status=500)
SILENT = NoAnswer("no answer", sent=True)


def new_users():
    numbers = itertools.count()
    return lambda: Credentials(f"user{next(numbers)}", "right")


def answer(value):
    """What a fake says: an answer, or the error that is raised instead."""
    if isinstance(value, Exception):
        raise value
    return value


def target(*webs, registries=()):
    """A Harbor of these web and registry replicas."""
    parts = {part.name: part for part in (*webs, *registries)}
    replicas = {
        role: [SimpleNamespace(name=part.name, object=f"pod {part.name}") for part in of_role]
        for role, of_role in ((Role.WEB, webs), (Role.REGISTRY, registries))
    }
    return SimpleNamespace(
        replicas=replicas.__getitem__,
        registry_api_replicas=lambda: replicas[Role.REGISTRY],
        web=lambda replica: parts[replica.name],
        registry=lambda replica, credentials=ADMIN: parts[replica.name].to(credentials.user),
        anonymous_registry=lambda replica: parts[replica.name].to("nobody"),
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        registry_host="h.example",
        access=SimpleNamespace(url="http://h.example"),
        profile=PROFILE,
        front_door=FrontDoor(),
    )


class FrontDoor:
    def __init__(self, listed=("run",), refusal=None):
        self.listed, self.refusal, self.members = listed, refusal, []

    def projects(self, name, credentials):
        return dict.fromkeys(self.listed, 7)

    def add_member(self, project, user, role, credentials):
        if self.refusal:
            raise self.refusal
        self.members.append((project, user, role))


# access.login-refuses-wrong-password


class Gate:
    """A web replica that one may or may not get through; `asked` is who came with which password."""

    def __init__(self, name, *, form=None, whose=None, header=None):
        self.name, self.form, self.whose, self.header, self.asked = name, form, whose, header, []

    def wrong_sign_in(self, credentials):
        self.asked.append(credentials)
        return answer(self.form)

    def whoami(self, session):
        return answer(self.whose)

    def whoami_by_password(self, credentials):
        self.asked.append(credentials)
        return answer(self.header)


COOKIE = Session("user0", "c")


@pytest.mark.parametrize("form", [None, COOKIE])
def test_a_wrong_password_that_is_refused_everywhere_is_well(form):
    examine(refused, target(*(Gate(f"ui-{n}", form=form) for n in range(3))), new_users())


def test_the_password_is_wrong_and_the_administrators_user_is_left_alone():
    gate = Gate("ui-0")
    examine(refused, target(gate), new_users())
    assert {credentials.user for credentials in gate.asked} == {"user0", "user1"}
    assert all(credentials.password != "right" for credentials in gate.asked)


@pytest.mark.parametrize(
    "gate, seen",
    [
        ({"form": UnexpectedAnswer("POST /login → 200", status=200)}, "POST /login → 200"),
        ({"form": FAILED}, "→ 500"),
        ({"form": SILENT}, "no answer"),
        ({"form": COOKIE, "whose": "user0"}, "the cookie is user0's"),
        ({"form": COOKIE, "whose": FAILED}, "→ 500"),
        ({"header": "user1"}, "one is user1"),
        ({"header": FAILED}, "→ 500"),
    ],
)
def test_the_one_replica_that_does_not_refuse_a_wrong_password_is_named(gate, seen):
    (offender,) = offenders_of(refused, target(Gate("ui-0"), Gate("ui-1", **gate)), new_users())
    assert offender.object == "pod ui-1"
    assert seen in offender.observed


# access.logout-ends-session-everywhere


class Desk:
    """A web replica; `store` is where it keeps sessions, `copy` what it goes on to know by itself."""

    def __init__(self, name, store, *, keeps=False, opens=None, ends=None, knows=None):
        self.name, self.store, self.copy = name, store, set() if keeps else None
        self.opens, self.ends, self.knows = opens, ends, knows

    def sign_in(self, credentials):
        answer(self.opens)
        self.store.add(self.name)
        return Session(credentials.user, self.name)

    def whoami(self, session):
        answer(self.knows)
        if self.copy is not None:
            self.copy |= self.store
        return "admin" if session.cookie in self.store | (self.copy or set()) else None

    def sign_out(self, session):
        answer(self.ends)
        self.store.discard(session.cookie)


def desks(**third):
    store = set()
    return target(Desk("ui-0", store), Desk("ui-1", store), Desk("ui-2", third.pop("store", store), **third))


def test_a_session_that_ends_everywhere_is_well():
    examine(logged_out, desks())


def test_a_replica_that_goes_on_knowing_an_ended_session_is_named_for_every_other():
    offenders = offenders_of(logged_out, desks(keeps=True))
    assert {offender.object for offender in offenders} == {"pod ui-2"}
    assert [offender.expected.split()[-1] for offender in offenders] == ["ui-0", "ui-1", "ui-2"]
    assert {offender.observed for offender in offenders} == {"it is still admin's there"}


def test_a_session_that_was_not_known_before_shows_nothing_and_is_red():
    offenders = offenders_of(logged_out, desks(store=set()))
    assert [offender.object for offender in offenders] == ["pod ui-2", "pod ui-2", "pod ui-0", "pod ui-1"]
    assert {offender.observed for offender in offenders} == {"it was not known there even before (401)"}


@pytest.mark.parametrize(
    "third, offenders", [({"opens": SILENT}, 1), ({"ends": FAILED}, 1), ({"knows": SILENT}, 3)]
)
def test_a_replica_that_opens_ends_or_knows_no_session_is_named(third, offenders):
    found = offenders_of(logged_out, desks(**third))
    assert {offender.object for offender in found} == {"pod ui-2"}
    assert len(found) == offenders


# access.docker-login


class Daemon:
    """A docker daemon before a front door; `refuse` says, of the nth login, why it is not let in."""

    def __init__(self, refuse=lambda count, right: "" if right else "unauthorized"):
        self.refuse, self.logins = refuse, []

    def login(self, registry, credentials):
        right = credentials.password == "right"
        self.logins.append((credentials.user, right))
        if why := self.refuse(len(self.logins), right):
            raise why if isinstance(why, Exception) else DockerRefused(f"docker login: {why}")


def logging_in(daemon, measured=None):
    three = [SimpleNamespace(name=f"ui-{n}") for n in range(3)]
    examine(
        docker_login,
        target(*three, registries=three[:1]),
        daemon,
        new_users(),
        {} if measured is None else measured,
    )


def test_a_daemon_that_logs_in_each_time_and_never_with_a_wrong_password_is_well():
    daemon, measured = Daemon(), {}
    logging_in(daemon, measured)
    assert daemon.logins.count(("admin", True)) == measured["logins_count"] == rounds_to_meet_each(3)
    assert ("admin", False) not in daemon.logins


def test_a_daemon_that_is_refused_now_and_then_is_red():
    daemon = Daemon(lambda count, right: "unauthorized" if not right else "token" if count % 3 == 0 else "")
    (offender,) = offenders_of(logging_in, daemon)
    assert offender.object == "front door http://h.example"
    assert "first: docker login: token" in offender.observed


def test_a_wrong_password_that_is_let_in_is_red():
    (offender,) = offenders_of(logging_in, Daemon(lambda count, right: ""))
    assert "wrong password is refused" in offender.expected
    assert "let in" in offender.observed


@pytest.mark.parametrize(
    "why", ["Get https://h/v2/: unauthorized: authentication required", "status: 401 Unauthorized"]
)
def test_a_wrong_password_that_is_refused_in_the_words_of_any_daemon_is_well(why):
    logging_in(Daemon(lambda count, right: "" if right else why))


@pytest.mark.parametrize("why", ["received unexpected HTTP status: 500", "Get http://h:31401/v2/: EOF"])
def test_a_harbor_that_fails_has_not_refused_a_wrong_password(why):
    (offender,) = offenders_of(logging_in, Daemon(lambda count, right: "" if right else why))
    assert "wrong password is refused" in offender.expected
    assert why in offender.observed


def test_a_daemon_that_cannot_log_in_for_reasons_of_its_own_is_no_verdict():
    with pytest.raises(DockerDaemonFailed):
        logging_in(Daemon(lambda count, right: DockerDaemonFailed("no such host")))


# access.realm-reachable-by-clients

REALM = "http://h.example/service/token"


def challenge(realm=REALM):
    return Challenge(401 if realm else 200, "Bearer" if realm else "", realm, "s", "GET /v2/ → what was seen")


def realm_offenders(monkeypatch, challenges, errors=None):
    """The offenders of a front door and replicas that challenge so, where realms answer with these errors."""
    asked, closed = [], []

    def fetch(link, credentials, *scopes, path):
        asked.append((path, credentials, scopes))
        answer((errors or {}).get(path))

    monkeypatch.setattr(of_realm.token_service, "fetch", fetch)
    front, *others = challenges
    registries = [
        SimpleNamespace(
            name=f"registry-{n}", to=lambda user, seen=seen: SimpleNamespace(challenge=lambda: answer(seen))
        )
        for n, seen in enumerate(others)
    ]
    harbor = target(registries=registries)
    harbor.front_registry = lambda credentials: SimpleNamespace(challenge=lambda: answer(front))
    harbor.new_front_door_link = lambda name: SimpleNamespace(close=lambda: closed.append(name))
    try:
        examine(of_realm.test_the_realm_of_every_challenge_gives_clients_a_token, harbor)
    except Failure as failure:
        return failure.offenders
    finally:
        assert closed == ["token-service"]
        assert asked == [
            (path, None, ("repository:library/anything:pull",))
            for path in dict.fromkeys(path for path, _, _ in asked)
        ]
    return ()


def test_a_realm_that_gives_a_token_is_well(monkeypatch):
    assert realm_offenders(monkeypatch, [challenge()] * 4) == ()


def test_each_place_that_names_an_unreachable_realm_is_named_with_it(monkeypatch):
    inner = "http://ui.harbor.svc/service/token"
    offenders = realm_offenders(
        monkeypatch,
        [challenge(inner), challenge(), challenge(inner)],
        {inner: NoAnswer("no name", sent=False)},
    )
    assert [offender.object for offender in offenders] == ["front door http://h.example", "pod registry-1"]
    assert all(inner in offender.expected and offender.observed == "no name" for offender in offenders)


@pytest.mark.parametrize(
    "seen, observed",
    [(challenge(""), "what was seen"), (SILENT, "no answer"), (challenge("/service/token"), "no URL")],
)
def test_a_registry_without_a_realm_is_named(monkeypatch, seen, observed):
    (offender,) = realm_offenders(monkeypatch, [challenge(), challenge(), seen])
    assert offender.object == "pod registry-1"
    assert observed in offender.observed


def test_a_realm_that_refuses_the_administrator_is_red(monkeypatch):
    offenders = realm_offenders(monkeypatch, [challenge(), challenge()], {REALM: REFUSED})
    assert len(offenders) == 2


# access.anonymous-may-pull-public-but-not-push, access.private-project-hidden-from-anonymous


class Store:
    """One registry replica and what it took. `open_to_all`: it asks nobody who they are."""

    def __init__(self, name, *, open_to_all=False, public=True, takes=None, gives=None, begins=REFUSED):
        self.name, self.open_to_all, self.public = name, open_to_all, public
        self.takes, self.gives, self.begins, self.held, self.cancelled = takes, gives, begins, {}, []

    def to(self, user):
        return Client(self, user)


class Client:
    def __init__(self, store, user):
        self.store, self.user, self.http = store, user, SimpleNamespace(store=store)

    def push(self, image, repository, tag):
        answer(self.store.takes)
        self.store.held[image.digest] = image
        return image.digest

    def pull(self, repository, reference):
        self._may()
        return answer(self.store.gives) or self.store.held[reference]

    def manifest(self, repository, reference):
        self._may()
        return answer(self.store.gives)

    blob = manifest

    def begin_upload(self, repository):
        if not self.store.open_to_all:
            answer(self.store.begins)
        return Upload(repository, "/place")

    def cancel(self, upload):
        self.store.cancelled.append((self.user, upload.place))

    def _may(self):
        if self.user != "admin" and not self.store.public and not self.store.open_to_all:
            raise REFUSED


def image_of(content=b"x"):
    return Image.make(content, run_id="r")


def public(*stores):
    examine(
        of_projects.test_anybody_may_pull_from_a_public_project_and_not_push,
        target(registries=stores),
        "run-p",
        image_of,
    )


def test_a_public_image_that_anybody_may_pull_and_nobody_push_is_well():
    stores = [Store(f"registry-{n}", begins=UnexpectedAnswer("no", status=401 + 2 * n)) for n in range(2)]
    public(*stores)
    # Each is asked for what it took itself.
    assert all(store.held for store in stores)


@pytest.mark.parametrize(
    "store, expected, observed",
    [
        ({"open_to_all": True}, "refuses an anonymous push", "it was done"),
        ({"begins": FAILED}, "refuses an anonymous push", "→ 500"),
        ({"begins": SILENT}, "refuses an anonymous push", "no answer"),
        ({"public": False}, "to anybody", "→ 401"),
        ({"gives": image_of(b"other")}, "to anybody", "other bytes"),
        ({"takes": FAILED}, "takes a push of the suite", "→ 500"),
    ],
)
def test_the_one_registry_that_gives_nothing_or_takes_from_anybody_is_named(store, expected, observed):
    (offender,) = offenders_of(public, Store("registry-0"), Store("registry-1", **store))
    assert offender.object == "pod registry-1"
    assert expected in offender.expected
    assert observed in offender.observed


def test_an_anonymous_push_that_was_begun_is_taken_back():
    store = Store("registry-0", open_to_all=True)
    offenders_of(public, store)
    assert store.cancelled == [("admin", "/place")]


class Shelf:
    """A web replica with the run's private project; what it shows to whom is no member."""

    def __init__(self, name, *, listed=False, to_admin=("run",), contents=REFUSED, grants=None):
        self.name, self.listed, self.to_admin, self.contents = name, listed, to_admin, contents
        self.http = SimpleNamespace(grants=grants or {})

    def projects(self, name, credentials):
        if credentials is ADMIN:
            return dict.fromkeys(answer(self.to_admin), 7)
        return {"run": 7} if answer(self.listed) else {}

    def repositories(self, project, credentials):
        return answer(self.contents)

    tags = repositories


@pytest.fixture
def private(monkeypatch):
    """`private(shelf, store)`: runs the check on a sound web and registry replica and these."""
    monkeypatch.setattr(
        of_projects.token_service,
        "fetch",
        lambda http, credentials, scope: SimpleNamespace(grants=answer(http.grants)),
    )
    monkeypatch.setattr(of_projects, "Registry", lambda http: Client(http.store, "no token"))

    def run(shelf=None, store=None):
        webs = [Shelf("ui-0"), Shelf("ui-1", **(shelf or {}))]
        stores = [
            Store("registry-0", public=False),
            Store("registry-1", **{"public": False, **(store or {})}),
        ]
        examine(
            of_projects.test_a_private_project_is_hidden_from_whoever_is_no_member,
            target(*webs, registries=stores),
            "run",
            STRANGER,
            image_of,
        )

    return run


def test_the_tags_of_a_private_project_are_asked_for_when_there_are_some(private):
    """Whoever leaks tags says 404, too, as long as the repository is not there."""
    stores = [Store("registry-0", public=False), Store("registry-1", public=False)]

    class Leaking(Shelf):
        def tags(self, repository, credentials):
            if not all(store.held for store in stores):
                raise UnexpectedAnswer("no such repository", status=404)
            return {"access": "sha256:x"}

    def run():
        examine(
            of_projects.test_a_private_project_is_hidden_from_whoever_is_no_member,
            target(Leaking("ui-0"), registries=stores),
            "run",
            STRANGER,
            image_of,
        )

    offenders = offenders_of(run)
    assert [offender.object for offender in offenders] == ["pod ui-0"] * 2
    assert all("its tags" in offender.expected for offender in offenders)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_private_project_that_is_hidden_is_well(private, status):
    private({"contents": UnexpectedAnswer("no", status=status)})


@pytest.mark.parametrize(
    "shelf, count, expected, observed",
    [
        ({"listed": True}, 2, "does not list run to", "it is listed"),
        ({"listed": SILENT}, 2, "does not list run to", "no answer"),
        ({"contents": []}, 4, "does not tell", "it was done"),
        ({"contents": FAILED}, 4, "does not tell", "→ 500"),
        ({"contents": SILENT}, 4, "does not tell", "no answer"),
        ({"grants": {"repository:run/access": {"pull"}}}, 2, "do nothing with run/access", "pull"),
        ({"grants": SILENT}, 2, "do nothing with run/access", "no answer"),
        ({"to_admin": ()}, 1, "lists run to the suite", "not listed"),
        ({"to_admin": FAILED}, 1, "lists run to the suite", "→ 500"),
    ],
)
def test_the_one_web_replica_that_shows_a_private_project_is_named(private, shelf, count, expected, observed):
    offenders = offenders_of(private, shelf)
    assert len(offenders) == count
    assert {offender.object for offender in offenders} == {"pod ui-1"}
    assert all(expected in offender.expected and observed in offender.observed for offender in offenders)


@pytest.mark.parametrize(
    "store, count, observed", [({"open_to_all": True}, 6, "it was done"), ({"takes": FAILED}, 1, "→ 500")]
)
def test_the_one_registry_that_gives_a_private_image_is_named(private, store, count, observed):
    offenders = offenders_of(private, None, store)
    assert len(offenders) == count
    assert {offender.object for offender in offenders} == {"pod registry-1"}
    assert all(observed in offender.observed for offender in offenders)


# access.token-grants-no-more-than-asked-or-allowed

SOUND = {
    ("admin", "run/anything"): ["push", "*", "pull"],
    ("user0", "run/anything"): ["push", "pull"],
    ("user1", "run/anything"): ["pull"],
    ("stranger", "run-p/anything"): ["pull"],
    (None, "run-p/anything"): ["pull"],
}


def token(user, scope, *, actions=SOUND, more=(), age_s=0, lasts_s=1800):
    name, issued = scope.split(":")[1], datetime.now(UTC).timestamp() - age_s
    entries = [{"type": "repository", "name": name, "actions": actions.get((user, name), [])}, *more]
    return Token("t", {}, {"access": entries, "iat": issued, "exp": issued + lasts_s})


@pytest.fixture
def tokens(monkeypatch):
    """`tokens(front_door, …)`: runs the check on a sound replica and one whose tokens are as given."""

    def fetch(http, credentials, scope):
        issue = http.issue
        return token(credentials and credentials.user, scope, **answer(issue))

    monkeypatch.setattr(of_tokens.token_service, "fetch", fetch)

    def run(issue=None, front_door=None):
        webs = [
            SimpleNamespace(name=f"ui-{n}", http=SimpleNamespace(issue=each))
            for n, each in enumerate(({}, issue or {}))
        ]
        harbor = target(*webs)
        harbor.front_door = front_door or harbor.front_door
        examine(
            of_tokens.test_a_token_grants_what_the_role_allows_on_what_was_asked_and_no_more,
            harbor,
            "run",
            "run-p",
            STRANGER,
            new_users(),
        )
        return harbor.front_door.members

    return run


def test_tokens_that_grant_what_the_role_allows_are_well(tokens):
    assert tokens() == [(7, "user0", 2), (7, "user1", 3)]


def test_an_action_of_another_release_that_opens_nothing_is_well(tokens):
    tokens({"actions": {**SOUND, ("user1", "run/anything"): ["pull", "look"]}})


def test_clocks_may_differ_a_little(tokens):
    tokens({"age_s": -30})


OTHERS = {"type": "repository", "name": "library/other", "actions": ["pull"]}


@pytest.mark.parametrize(
    "issue, count, observed",
    [
        (
            {"actions": {**SOUND, ("user1", "run/anything"): ["push", "pull"]}},
            1,
            "pull, push repository:run/",
        ),
        ({"actions": {**SOUND, ("stranger", "run/anything"): ["pull"]}}, 1, "pull repository:run/anything"),
        (
            {"actions": {**SOUND, (None, "run-p/anything"): ["pull", "push"]}},
            1,
            "pull, push repository:run-p/",
        ),
        ({"actions": {}}, 5, "nothing"),
        ({"more": [OTHERS]}, 7, "repository:library/other"),
        ({"actions": {**SOUND, ("user1", "run/anything"): ["pull", "*"]}}, 1, "*, pull repository:run/"),
        ({"actions": {**SOUND, ("user0", "run/anything"): ["pull", "push", "delete"]}}, 1, "delete, pull"),
        (
            {"actions": {**SOUND, ("user0", "run/anything"): ["pull", "look"]}},
            1,
            "look, pull repository:run/",
        ),
        ({"actions": {**SOUND, ("stranger", "run/anything"): ["look"]}}, 1, "look repository:run/anything"),
        ({"age_s": -7200}, 1, "it is issued 7200 s from now"),
        ({"age_s": 7200}, 1, "it expired"),
        ({"lasts_s": 0}, 1, "it expired"),
        (FAILED, 7, "→ 500"),
        (SILENT, 7, "no answer"),
    ],
)
def test_the_one_replica_whose_tokens_are_wrong_is_named(tokens, issue, count, observed):
    offenders = offenders_of(tokens, issue)
    assert len(offenders) == count
    assert {offender.object for offender in offenders} == {"pod ui-1"}
    assert all(observed in offender.observed for offender in offenders)


@pytest.mark.parametrize(
    "front_door, observed", [(FrontDoor(refusal=FAILED), "→ 500"), (FrontDoor(listed=()), "not listed")]
)
def test_a_harbor_that_takes_no_member_is_red_and_not_an_error(tokens, front_door, observed):
    (offender,) = offenders_of(tokens, None, front_door)
    assert "a developer can be added to project run" in offender.expected
    assert observed in offender.observed
