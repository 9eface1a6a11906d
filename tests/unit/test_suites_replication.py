"""The checks of replication rules, proxy caches and scanners, on what Harbor could say of them."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from harbor_verify import clock
from harbor_verify.clients.capabilities import Endpoint, ReplicationRule, ReplicationRun, Scanner
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.errors import NotApplicable, UnexpectedAnswer
from harbor_verify.findings import Findings
from suites.replication.test_endpoints import (
    test_registries_that_rules_and_proxy_caches_stand_on_can_be_reached as reachable,
)
from suites.replication.test_proxy_caches import test_images_that_a_proxy_cache_has_are_given as served
from suites.replication.test_rules import test_the_last_run_of_each_replication_rule_succeeded as ran
from suites.scanning.test_database import test_what_scanners_know_is_recent as recent
from tests.unit.running import examine, offenders_of

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
LOST = UnexpectedAnswer("→ 404", status=404)


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def rule(name="nightly", *, enabled=True, cron="", changed=LONG_AGO):
    return ReplicationRule(3, name, enabled, "this Harbor", "backup", (7,), cron, changed)


def run(number, status, began, ended=None, **more):
    return ReplicationRun(number, status, began, ended, more.get("failed", 0), more.get("total", 5), "")


class Front:
    """What Harbor says at the front door; an exception is raised in the place of an answer."""

    def __init__(self, **said):
        self.said = {"rules": [], "runs": [], "endpoints": [], "projects": [], "scanners": [], **said}

    def _say(self, what):
        if isinstance(self.said[what], Exception):
            raise self.said[what]
        return self.said[what]

    def rules(self, credentials):
        return self._say("rules")

    def runs_of(self, of, credentials):
        return self._say("runs")

    def endpoints(self, credentials):
        return self._say("endpoints")

    def projects(self, name, credentials):
        return {each.name: each for each in self._say("projects")}

    def some_images(self, project, credentials, *, most):
        return self._say("images")[:most]

    def scanners(self, credentials):
        return self._say("scanners")

    def scanner_database(self, scanner, credentials):
        return self._say("updated")


def not_applicable(reason):
    raise NotApplicable(reason)


def look(check, registry=None, **said):
    more = {"tell": said.pop("tell")} if "tell" in said else {}
    harbor = SimpleNamespace(
        url="http://h",
        credentials=Credentials("admin", "x"),
        front_door=Front(**said),
        front_registry=lambda credentials: registry,
    )
    measured = {}
    examine(check, harbor, not_applicable=not_applicable, measured=measured, **more)
    return measured


def wrong(check, registry=None, **said):
    return offenders_of(lambda: look(check, registry, **said))


# replication.endpoints-reachable

BACKUP = Endpoint(7, "backup", "https://backup", "healthy")


def test_a_registry_that_is_reached_is_well():
    assert look(reachable, rules=[rule()], endpoints=[BACKUP]) == {"endpoints_in_use_count": 1}


def test_one_that_is_away_is_named_with_all_that_stands_on_it():
    away = Endpoint(7, "backup", "https://backup", "unhealthy")
    cache = Project("hub", 4, upstream_id=7)
    (offender,) = wrong(reachable, rules=[rule()], projects=[cache], endpoints=[away])
    assert offender.object == "registry backup (https://backup)"
    assert offender.expected.endswith("proxy cache hub, rule nightly")
    assert offender.observed == "Harbor calls it unhealthy"


def test_one_that_is_gone_is_named():
    (offender,) = wrong(reachable, rules=[rule()])
    assert (offender.object, offender.observed) == ("registry 7", "Harbor knows no such registry")


@pytest.mark.parametrize(
    "said", [{}, {"rules": [rule(enabled=False)], "endpoints": [Endpoint(7, "b", "", "unhealthy")]}]
)
def test_a_registry_that_nothing_stands_on_may_be_away(said):
    with pytest.raises(NotApplicable, match="no replication rule is enabled"):
        look(reachable, **said)


def test_a_harbor_that_does_not_list_them_is_wrong():
    (offender,) = wrong(reachable, rules=[rule()], endpoints=UnexpectedAnswer("→ 500", status=500))
    assert offender.object == "front door http://h"


# replication.rules-run

GOOD = run(8, "Succeed", NOW - timedelta(hours=1), NOW - timedelta(minutes=50))


def test_a_rule_whose_last_run_succeeded_is_well_and_its_age_is_told():
    bad = run(7, "Failed", NOW - timedelta(hours=2), NOW - timedelta(hours=2))
    measured = look(ran, rules=[rule()], runs=[GOOD, bad])
    assert measured == {"replication_rules_count": 1, "longest_since_replication_s": 3000}


def test_a_rule_whose_last_run_failed_is_named_with_the_last_that_succeeded():
    bad = run(9, "Failed", NOW - timedelta(minutes=9), NOW - timedelta(minutes=8), failed=2)
    (offender,) = wrong(ran, rules=[rule()], runs=[bad, GOOD])
    assert offender.object == "replication rule nightly (this Harbor to backup)"
    assert offender.observed == (
        "run 9 ended at 2026-11-28 12:22:00 UTC: Failed, 2 of 5 failed; "
        "the last that succeeded: 8, 2026-11-28 11:40:00 UTC"
    )


def test_a_run_without_end_is_named_after_a_day():
    look(ran, rules=[rule()], runs=[run(9, "InProgress", NOW - timedelta(hours=23)), GOOD])
    (offender,) = wrong(ran, rules=[rule()], runs=[run(9, "InProgress", NOW - timedelta(hours=30)), GOOD])
    assert offender.observed == "run 9 is in progress for 30 hours"


@pytest.mark.parametrize(
    "began, missed",
    [
        (datetime(2026, 11, 28, 12, 0, 3, tzinfo=UTC), None),
        (datetime(2026, 11, 28, 11, 0, 3, tzinfo=UTC), "2026-11-28 12:00:00"),
    ],
)
def test_a_run_that_was_due_and_did_not_begin_is_told(began, missed):
    runs = [run(8, "Succeed", began, began + timedelta(minutes=1))]
    given = {"rules": [rule(cron="0 0 * * * *")], "runs": runs}
    if missed:
        (offender,) = wrong(ran, **given)
        assert offender.observed == f"it was due at {missed} UTC, and nothing has begun since"
    else:
        look(ran, **given)


def test_what_is_due_just_now_has_the_time_to_begin():
    look(ran, rules=[rule(cron="0 25 * * * *", changed=NOW - timedelta(minutes=20))])


def test_a_rule_that_was_made_since_need_not_have_run():
    look(ran, rules=[rule(cron="0 0 3 * * *", changed=NOW - timedelta(hours=1))])


def test_rules_that_are_switched_off_are_nobodys():
    with pytest.raises(NotApplicable):
        look(ran, rules=[rule(enabled=False)])


# replication.proxy-caches-serve

CACHE = Project("hub", 4, upstream_id=7)
AWAY = Endpoint(7, "hub.example", "https://hub.example", "unhealthy")


class Cached:
    """The registry at the front door; `lost` are digests of blobs that it does not give."""

    def __init__(self, lost=(), withheld=()):
        self.lost, self.withheld, self.asked = lost, withheld, []

    def manifest(self, repository, digest):
        if digest in self.withheld:
            raise UnexpectedAnswer(f"GET {digest} → 412 PRECONDITION", status=412)
        if digest == "index":
            return json.dumps({"manifests": [{"digest": "one"}, {"digest": "two"}]}).encode(), digest
        layers = [{"digest": f"layer-of-{digest}", "size": 9}, {"digest": "huge", "size": 2**31}]
        return json.dumps({"config": {"digest": "config", "size": 3}, "layers": layers}).encode(), digest

    def blob(self, repository, digest):
        self.asked.append(digest)
        if digest in self.lost:
            raise LOST


def test_what_is_cached_is_read_whole_but_for_what_is_huge():
    registry = Cached()
    measured = look(served, registry, projects=[CACHE], images=[("hub/a", "one"), ("hub/b", "index")])
    assert registry.asked == ["config", "layer-of-one"] * 2
    assert measured == {
        "cached_images_looked_at_count": 2,
        "read_without_their_registry_count": 0,
        "withheld_images_count": 0,
    }


def test_while_its_registry_is_away_that_is_told():
    measured = look(served, Cached(), projects=[CACHE], images=[("hub/a", "one")], endpoints=[AWAY])
    assert measured["read_without_their_registry_count"] == 1
    registry = Cached(lost=["layer-of-one"])
    (offender,) = wrong(served, registry, projects=[CACHE], images=[("hub/a", "one")], endpoints=[AWAY])
    assert offender.object == "image hub/a@one"
    assert offender.expected == "is given from the cache, while hub.example is away"
    assert offender.observed == "→ 404"


@pytest.mark.parametrize("said", [{"projects": [Project("library", 1)]}, {"projects": [CACHE], "images": []}])
def test_without_a_cache_or_without_images_in_it_there_is_nothing_to_say(said):
    with pytest.raises(NotApplicable):
        look(served, Cached(), **said)


def test_what_its_projects_policy_withholds_is_told_and_another_image_is_read():
    registry = Cached(withheld=["one", "two"])
    images = [("hub/a", "one"), ("hub/b", "index"), ("hub/c", "three"), ("hub/d", "four"), ("hub/e", "five")]
    told = []
    measured = look(served, registry, tell=told.append, projects=[CACHE], images=images)
    assert registry.asked == ["config", "layer-of-three", "config", "layer-of-four"]
    assert (measured["cached_images_looked_at_count"], measured["withheld_images_count"]) == (2, 2)
    assert told == ["2 cached images are withheld by their project's policy: GET one → 412 PRECONDITION"]


def test_where_all_is_withheld_nothing_is_shown():
    withheld = Cached(withheld=["one"])
    with pytest.raises(NotApplicable, match=r"all 1 cached images .* are withheld .*412"):
        look(served, withheld, projects=[CACHE], images=[("hub/a", "one")])


def test_what_is_withheld_hides_nothing_that_is_lost():
    registry = Cached(lost=["layer-of-three"], withheld=["one"])
    images = [("hub/a", "one"), ("hub/c", "three")]
    (offender,) = wrong(served, registry, projects=[CACHE], images=images)
    assert offender.object == "image hub/c@three"


# scanning.database-recent

TRIVY = Scanner("u", "Trivy", False)


def test_a_scanner_that_knows_what_is_new_is_well():
    assert look(recent, scanners=[TRIVY], updated=NOW - timedelta(days=7)) == {
        "oldest_scanner_database_days": 7
    }


def test_one_whose_database_is_old_is_named():
    (offender,) = wrong(recent, scanners=[TRIVY], updated=NOW - timedelta(days=90, hours=1))
    assert offender.object == "scanner Trivy"
    assert offender.observed.endswith("90 days ago")


def test_one_that_does_not_answer_is_named():
    (offender,) = wrong(recent, scanners=[TRIVY], updated=UnexpectedAnswer("→ 500", status=500))
    assert offender.object == "scanner Trivy"


@pytest.mark.parametrize(
    "said",
    [{}, {"scanners": [Scanner("u", "Trivy", True)]}, {"scanners": [TRIVY], "updated": None}],
)
def test_without_a_scanner_or_without_a_date_there_is_nothing_to_say(said):
    with pytest.raises(NotApplicable):
        look(recent, **said)


def test_findings_are_counted_once_for_each_rule():
    findings = Findings()
    harbor = SimpleNamespace(
        url="http://h",
        credentials=Credentials("admin", "x"),
        front_door=Front(rules=[rule(), rule("hourly")], runs=[GOOD]),
    )
    ran(harbor, findings, not_applicable, {})
    assert findings.examined == 3
