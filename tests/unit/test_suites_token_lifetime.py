"""The check of how long tokens last."""

from types import SimpleNamespace

from harbor_verify.clients import token_service
from suites.access.test_tokens import test_tokens_last_for_a_day_at_most as lifetime
from tests.unit.running import examine, offenders_of

DAY_S = 24 * 60 * 60


def target(monkeypatch, *lasts_s):
    webs = [SimpleNamespace(object=f"pod web-{n}", http=each) for n, each in enumerate(lasts_s)]

    def fetch(http, credentials):
        return token_service.Token("x", {}, {"iat": 1000, "exp": 1000 + http})

    monkeypatch.setattr(token_service, "fetch", fetch)
    return SimpleNamespace(replicas=lambda role: webs, web=lambda web: web, user=None)


def test_tokens_of_a_day_are_well(monkeypatch):
    measured = {}
    examine(lifetime, target(monkeypatch, 1800, DAY_S), measured)
    assert measured == {"longest_token_s": DAY_S}


def test_the_one_replica_whose_tokens_last_longer_is_named(monkeypatch):
    (offender,) = offenders_of(lifetime, target(monkeypatch, 1800, 2 * DAY_S), {})
    assert (offender.object, offender.observed) == ("pod web-1", "valid for 48 hours")
