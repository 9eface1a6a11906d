"""The checks of form tokens and of the health report, on a Harbor of a few lines."""

from types import SimpleNamespace

import pytest

from harbor_verify.clients.capabilities import FormToken, Health
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import NeedMissing, NoAnswer, NotApplicable, UnexpectedAnswer
from harbor_verify.model.roles import Role
from suites.configuration import test_health
from suites.configuration.test_form_tokens import (
    test_a_form_that_one_web_replica_gave_is_taken_by_every_other as forms,
)
from tests.unit.running import blocked, examine, never, not_applicable, offenders_of

ADMIN = Credentials("admin", "hush")


class Web:
    """A web replica with a key for its forms, and a health report."""

    def __init__(self, key="k", health=None, gives=True, lets_in=True):
        self.key, self.reports, self.gives, self.lets_in = key, list(health or []), gives, lets_in

    def form_token(self):
        if not self.gives:
            raise NoAnswer("no answer", sent=True)
        return FormToken(self.key, "c")

    def sign_in_with(self, token, credentials):
        if token.token != self.key or not self.lets_in:
            raise UnexpectedAnswer("POST /form → 403 token invalid", status=403)
        return Session(credentials.user, "cookie")

    def health(self):
        report = self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]
        if isinstance(report, Exception):
            raise report
        return report


def harbor(*webs):
    replicas = [SimpleNamespace(name=f"web-{n}", object=f"pod h/web-{n}") for n, _ in enumerate(webs)]
    return SimpleNamespace(
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        replicas={Role.WEB: replicas}.get,
        workload=lambda role: SimpleNamespace(object="Deployment h/web"),
        web=lambda replica: webs[replicas.index(replica)],
    )


def test_replicas_that_share_their_key_take_each_others_forms():
    examine(forms, harbor(Web(), Web(), Web()), never)


def test_a_replica_with_another_key_is_named_in_both_directions():
    offenders = offenders_of(forms, harbor(Web(), Web(key="other"), Web()), never)
    assert [(o.object, o.expected) for o in offenders] == [
        ("pod h/web-1", "takes the form that web-0 gave"),
        ("pod h/web-0", "takes the form that web-1 gave"),
        ("pod h/web-2", "takes the form that web-1 gave"),
        ("pod h/web-1", "takes the form that web-2 gave"),
    ]
    assert all("signs with another key" in o.observed for o in offenders)


def test_a_replica_that_gives_no_form_is_named_once():
    (offender,) = offenders_of(forms, harbor(Web(gives=False), Web()), never)
    assert (offender.object, offender.expected) == ("pod h/web-0", "gives a form with a token")


def test_a_user_who_may_not_sign_in_at_any_form_says_nothing_about_keys():
    """One of OIDC is answered 403, as a form of another key is."""
    webs = Web(lets_in=False), Web(lets_in=False)
    with pytest.raises(NeedMissing, match="--admin-user has to be one of Harbor's own"):
        examine(forms, harbor(*webs), never, blocked)


def test_with_one_replica_there_is_nowhere_to_send_a_form():
    with pytest.raises(NotApplicable, match="one replica"):
        examine(forms, harbor(Web()), not_applicable)


ALL = dict.fromkeys(
    ("core", "database", "jobservice", "portal", "redis", "registry", "registryctl"), "healthy"
)
WELL = Health("healthy", ALL)
UNWELL = Health("unhealthy", {**ALL, "queue": "unhealthy: refused"})


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(test_health, "_OLDEST_S", 0.2)
    monkeypatch.setattr(test_health, "_STAYS_S", 0.1)
    monkeypatch.setattr(test_health, "_INTERVAL_S", 0.01)


health = test_health.test_every_web_replica_calls_every_component_healthy


def test_a_healthy_report_on_every_replica_is_well():
    examine(health, harbor(Web(health=[WELL]), Web(health=[WELL])))


def test_a_report_that_was_still_of_before_is_asked_for_again():
    examine(health, harbor(Web(health=[UNWELL, NoAnswer("later", sent=True), WELL])))


def test_an_unhealthy_component_is_named_though_the_answer_was_200():
    (offender,) = offenders_of(health, harbor(Web(health=[WELL]), Web(health=[UNWELL])))
    assert (offender.object, offender.observed) == ("pod h/web-1", "queue is unhealthy: refused")


def test_an_unhealthy_whole_of_healthy_components_is_not_well():
    report = Health("unhealthy", ALL)
    (offender,) = offenders_of(health, harbor(Web(health=[report])))
    assert offender.observed == "status is unhealthy"


def test_a_report_that_names_no_component_is_not_well():
    (offender,) = offenders_of(health, harbor(Web(health=[WELL]), Web(health=[Health("healthy", {})])))
    assert (offender.object, offender.observed) == ("pod h/web-1", "it names no component")


@pytest.mark.parametrize("name", ["core", "database", "jobservice", "redis", "registry"])
def test_a_report_that_is_silent_about_a_component_is_not_well(name):
    report = Health("healthy", {each: told for each, told in ALL.items() if each != name})
    (offender,) = offenders_of(health, harbor(Web(health=[WELL]), Web(health=[report])))
    assert (offender.object, offender.observed) == ("pod h/web-1", f"it does not name {name}")


def test_a_component_that_is_healthy_at_one_look_only_is_named():
    flapping = Web(health=[UNWELL, WELL, WELL, UNWELL])
    (offender,) = offenders_of(health, harbor(Web(health=[WELL]), flapping))
    assert (offender.object, offender.observed) == ("pod h/web-1", "queue is unhealthy: refused")
    assert "goes on to" in offender.expected


def test_a_replica_that_does_not_report_is_named():
    (offender,) = offenders_of(health, harbor(Web(health=[NoAnswer("silence", sent=True)])))
    assert offender.observed == "silence"
