"""Thirty replicas are compared in a number of requests that grows as they do, and one that is odd is still named."""

from collections import Counter
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Failure
from suites.access.test_logout import test_who_logs_out_on_one_replica_is_unknown_to_every_other as logout
from suites.configuration.test_form_tokens import (
    test_a_form_that_one_web_replica_gave_is_taken_by_every_other as forms,
)
from suites.configuration.test_token_key import (
    test_every_registry_trusts_the_tokens_of_every_web_replica_and_no_others as trust,
)
from suites.registry import test_catalogue, test_replicas
from suites.sessions.test_shared_sessions import (
    test_session_opened_on_one_replica_is_known_to_every_other as known,
)
from suites.sessions.test_users_kept_apart import test_no_session_is_ever_taken_for_another_users as apart
from tests.unit import test_suites_registry as registries
from tests.unit.running import examine, never
from tests.unit.test_suites_registry import FakeRegistry, FakeWeb, Store, new_image
from tests.unit.test_suites_sessions import PROFILE

USERS = [Credentials(name, "x") for name in ("admin", "verify-1", "verify-2")]
THIRTY = 30


class Counted:
    """Passes on what it is asked, and counts it."""

    def __init__(self, thing, requests):
        self._thing, self._requests = thing, requests

    def __getattr__(self, name):
        found = getattr(self._thing, name)
        if not callable(found) or name == "close":
            return found

        def ask(*args, **how):
            self._requests[name] += 1
            return found(*args, **how)

        return ask


class Web:
    """A web replica: where it keeps sessions, and the key by which it signs forms."""

    uid = ""

    def __init__(self, name, store, key="the key"):
        self.name, self.store, self.key = name, store, key

    def sign_in(self, credentials):
        cookie = f"{self.name}-{len(self.store)}"
        self.store[cookie] = credentials.user
        return Session(credentials.user, cookie)

    def sign_out(self, session):
        del self.store[session.cookie]

    def whoami(self, session):
        return self.store.get(session.cookie)

    def form_token(self):
        return self.key

    def sign_in_with(self, token, user):
        if token != self.key:
            raise UnexpectedAnswer("POST /c/login → 403", status=403)

    def close(self):
        pass


def webs_of(count, *, odd=None, **flaw):
    """Of one store; the odd one has one of its own, or the flaw."""
    shared = {}
    return [
        Web(f"core-{n}", {} if n == odd and not flaw else shared, **(flaw if n == odd else {}))
        for n in range(count)
    ]


def harbor_of(webs, requests):
    replicas = [SimpleNamespace(name=web.name, object=f"pod {web.name}") for web in webs]
    by_name = {web.name: Counted(web, requests) for web in webs}
    return SimpleNamespace(
        replicas=lambda role: replicas,
        workload=lambda role: SimpleNamespace(object="Deployment h/core"),
        web=lambda replica: by_name[replica.name],
        new_link=lambda replica: by_name[replica.name],
        new_front_door_link=lambda: Counted(Web("door", webs[0].store), requests),
        profile=PROFILE,
        user=USERS[0],
        access=SimpleNamespace(url="http://h"),
    )


CHECKS = {
    "sessions": (lambda harbor: examine(known, harbor), 3),
    "forms": (lambda harbor: examine(forms, harbor), 3),
    "logout": (lambda harbor: examine(logout, harbor), 6),
    "apart": (lambda harbor: examine(apart, harbor, USERS[1], lambda: USERS[2], {}), 3 + 4 * (6 + 3)),
}


@pytest.mark.parametrize("name", CHECKS)
def test_web_replicas_are_asked_a_few_times_each(name):
    check, most_each = CHECKS[name]
    requests = Counter()
    check(harbor_of(webs_of(THIRTY), requests))
    assert THIRTY <= requests.total() <= most_each * THIRTY, requests


@pytest.mark.parametrize("odd", [0, 1, 17, 29])
@pytest.mark.parametrize("name, flaw", [("sessions", {}), ("forms", {"key": "of its own"}), ("logout", {})])
def test_the_one_of_thirty_that_is_odd_is_named(name, flaw, odd):
    with pytest.raises(Failure) as failure:
        CHECKS[name][0](harbor_of(webs_of(THIRTY, odd=odd, **flaw), Counter()))
    named = {each.object for each in failure.value.offenders}
    assert f"pod core-{odd}" in named
    assert len(named) <= 3, "it, and its neighbours"
    assert all(f"core-{odd}" in f"{each.object} {each.expected}" for each in failure.value.offenders)


def registry_of(requests, *, webs=0, odd=None):
    store = Store()
    of_registry = [FakeRegistry(f"registry-{n}", Store() if n == odd else store) for n in range(THIRTY)]
    of_web = [FakeWeb(f"core-{n}", store) for n in range(webs)]
    harbor = registries.target(*of_registry, webs=of_web)
    ask_registry, ask_web = harbor.registry, harbor.web
    harbor.registry = lambda replica: Counted(ask_registry(replica), requests)
    harbor.web = lambda replica: Counted(ask_web(replica), requests)
    return harbor


def pushed(harbor):
    check = test_replicas.test_an_image_pushed_on_one_registry_replica_is_pulled_from_every_other
    examine(check, harbor, "p", new_image, never)


def continued(harbor):
    check = test_replicas.test_an_upload_begun_on_one_registry_replica_goes_on_at_another
    examine(check, harbor, "p", never, new_image)


def listed(harbor):
    check = test_catalogue.test_what_any_replica_took_appears_on_every_web_replica
    examine(check, harbor, "p", new_image, {})


def deleted(harbor):
    examine(test_catalogue.test_what_is_deleted_on_any_web_replica_is_gone_everywhere, harbor, "p", new_image)


@pytest.mark.parametrize(
    "check, most_each", [(pushed, 5), (continued, 2 * (4 + 3)), (listed, 3 + 2 * 10), (deleted, 12)]
)
def test_registry_replicas_are_asked_a_few_times_each(check, most_each):
    requests = Counter()
    check(registry_of(requests, webs=THIRTY))
    assert THIRTY <= requests.total() <= most_each * THIRTY, requests


@pytest.mark.parametrize("odd", [0, 17, 29])
@pytest.mark.parametrize("check", [pushed, continued])
def test_the_one_of_thirty_registries_with_another_storage_is_named(check, odd):
    with pytest.raises(Failure) as failure:
        check(registry_of(Counter(), odd=odd))
    assert f"pod registry-{odd}" in {each.object for each in failure.value.offenders}


@pytest.mark.parametrize("odd", [None, 0, 17])
def test_each_of_thirty_registries_is_asked_for_the_tokens_of_a_few_web_replicas(monkeypatch, odd):
    """The odd web replica signs with a key that no registry trusts."""
    requests = Counter()
    replicas = {
        role: [SimpleNamespace(name=f"{role}-{n}", object=f"pod {role}-{n}") for n in range(THIRTY)]
        for role in (Role.WEB, Role.REGISTRY)
    }

    def accepts(text):
        requests["accepts"] += 1
        return SimpleNamespace(status_code=200 if text == "good" else 401, text="", reason="", headers={})

    def fetch(http, user):
        return SimpleNamespace(text="bad" if http == f"{Role.WEB}-{odd}" else "good", key_id="K")

    monkeypatch.setattr("suites.configuration.test_token_key.token_service.fetch", fetch)
    monkeypatch.setattr(
        "suites.configuration.test_token_key.token_service.with_broken_signature", lambda text: "forged"
    )
    monkeypatch.setattr("suites.configuration.test_token_key.summary", lambda answer: "401")
    monkeypatch.setattr("suites.configuration.test_token_key._trusted_by", lambda replica, harbor: "")
    harbor = SimpleNamespace(
        replicas=replicas.__getitem__,
        registry_api_replicas=lambda: replicas[Role.REGISTRY],
        web=lambda replica: SimpleNamespace(http=replica.name),
        registry=lambda replica: SimpleNamespace(accepts=accepts),
        user=None,
    )
    if odd is None:
        examine(trust, harbor)
    else:
        with pytest.raises(Failure) as failure:
            examine(trust, harbor)
        assert all(f"{Role.WEB}-{odd}," in each.expected for each in failure.value.offenders)
    assert requests.total() <= 3 * THIRTY
