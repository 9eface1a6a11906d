"""How many servers a database and a session store stand on, in clusters as people have them."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from harbor_verify.errors import (
    CannotTell,
    NeedMissing,
    NotApplicable,
    StoreRefused,
    WrongConfiguration,
)
from harbor_verify.facts import Fact, StorePlace
from harbor_verify.model.backing import backing_of
from harbor_verify.model.stores import Database, Redundancy, SentinelView, SessionStore
from harbor_verify.profiles.harbor_2 import PROFILE
from harbor_verify.verdict import Failure
from suites.database.test_servers import test_the_database_stands_on_more_than_one_server as database_servers
from suites.sessions.test_servers import test_a_primary_that_nobody_follows_takes_no_writes as refuses_alone
from suites.sessions.test_servers import (
    test_sentinels_can_elect_a_primary_when_one_of_them_is_lost as sentinels_elect,
)
from suites.sessions.test_servers import test_sessions_are_kept_on_more_than_one_server as session_servers
from tests.unit.running import blocked, examine, never, not_applicable
from tests.unit.small_cluster import NAMESPACE, small_cluster

ALONE = Redundancy(False, "no standby follows it")
FOLLOWED = Redundancy(True, "1 standby follows it")
UNSAID = Redundancy(None, "permission denied")

# One text a kind of deployment: what a store's name leads to.

SINGLE = """
kind: Service
metadata: {name: store}
spec: {selector: {app: registry-app, part: store}}
---
kind: StatefulSet
metadata: {name: store}
spec: {replicas: 1, template: {metadata: {labels: {app: registry-app, part: store}}}}
"""
SCALED_UP = SINGLE.replace("replicas: 1", "replicas: 2")
ELSEWHERE = SINGLE.replace("name: store}", "name: store, namespace: data}")
PRIMARY_AND_READERS = """
kind: Service
metadata: {name: store}
spec: {selector: {part: store, is: primary}}
---
kind: StatefulSet
metadata: {name: store-primary}
spec: {replicas: 1, template: {metadata: {labels: {part: store, is: primary}}}}
---
kind: StatefulSet
metadata: {name: store-read}
spec: {replicas: 2, template: {metadata: {labels: {part: store, is: read}}}}
"""
OPERATOR = """
kind: Service
metadata: {name: store}
spec: {selector: {part: store, role: primary}}
---
kind: Cluster
metadata: {name: store}
spec: {replicas: 2, given: {0: {role: primary}}, template: {metadata: {labels: {part: store}}}}
"""
PROXIES = """
kind: Service
metadata: {name: store}
spec: {selector: {part: proxy}}
---
kind: Deployment
metadata: {name: store-proxy}
spec: {replicas: 2, template: {metadata: {labels: {part: proxy}}}}
---
""" + SINGLE.replace("name: store}", "name: behind}")
ONE_PROXY = PROXIES.replace("replicas: 2", "replicas: 1")
ALIAS = "kind: Service\nmetadata: {name: store}\nspec: {type: ExternalName, externalName: %s}\n"
TO_IT = ALIAS.replace("store}", "alias}") % "store.harbor.svc"
ADDRESSES = """
kind: Service
metadata: {name: store}
spec: {ports: [{port: 5432}]}
---
kind: EndpointSlice
metadata: {name: store-1, labels: {kubernetes.io/service-name: store}}
addressType: IPv4
endpoints: [{addresses: ["192.0.2.50"]}]
"""
OUTSIDE = Fact(StorePlace.OUTSIDE, "Harbor's settings")
MANAGED = Fact(StorePlace.MANAGED, "its name (Amazon)")


def refuse(need):
    raise NeedMissing(f"needs {need}")


def harbor_with(kubernetes, told, *, host="store", store=None, views=()):
    """A Harbor whose database and session store are at `host`, and say `told` of other servers."""

    def answer():
        if isinstance(told, Exception):
            raise told
        return told

    asked = SimpleNamespace(redundancy=told if callable(told) else answer, sentinel_views=lambda: list(views))
    return SimpleNamespace(
        profile=PROFILE,
        workload=lambda role: SimpleNamespace(object=f"Deployment of the {role}"),
        backing=lambda name: backing_of(kubernetes, NAMESPACE, name),
        database=lambda: Database("postgresql", host, 5432, user="u", password="hush", name="registry"),
        session_store=lambda: store or SessionStore(host, 6379, password="hush", database=0),
        sql=lambda: nullcontext(asked),
        redis=lambda store: nullcontext(asked),
    )


CHECKS = [database_servers, session_servers]


def look(
    check, text, told, *, place=OUTSIDE, need=lambda name: None, forbidden=(), ends=not_applicable, **more
):
    with small_cluster(text or SINGLE, forbidden=forbidden) as kubernetes:
        harbor = harbor_with(kubernetes, told, **more)
        more = {"facts": SimpleNamespace(database=place, session_store=place)}
        if check is session_servers:
            more["settings"] = SimpleNamespace(request_timeout_s=0.3)
        examine(check, harbor, need=need, not_applicable=ends, **more)


def offender(check, text, told, **more):
    with pytest.raises(Failure) as failure:
        look(check, text, told, **more)
    (found,) = failure.value.offenders
    assert "hush" not in str(found)
    return found


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "text, host, object",
    [
        (SINGLE, "store", "StatefulSet harbor/store"),
        (SINGLE, "store.harbor.svc.cluster.local", "StatefulSet harbor/store"),
        (ELSEWHERE, "store.data", "StatefulSet data/store"),
        (PRIMARY_AND_READERS, "store", "StatefulSet harbor/store-primary"),
        (ONE_PROXY, "store", "Deployment harbor/store-proxy"),
        (f"{SINGLE}---\n{TO_IT}", "alias", "StatefulSet harbor/store"),
    ],
)
def test_one_pod_that_no_other_will_ever_replace_is_named_and_not_even_asked(check, text, host, object):
    found = offender(check, text, AssertionError("asked"), host=host, need=never)
    assert found.object == object
    assert found.observed.startswith("1 pod, and Service ")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "text, host", [(OPERATOR, "store"), (PROXIES, "store"), (ADDRESSES, "store"), ("", "db.example.com")]
)
def test_where_another_server_follows_it_is_well(check, text, host):
    look(check, text, FOLLOWED, host=host, ends=never)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "text, host, told",
    [
        (
            SCALED_UP,
            "store",
            "the 2 pods behind Service harbor/store (StatefulSet store with 2 pods) are separate",
        ),
        (PROXIES, "store", "(Deployment store-proxy with 2 pods) are separate stores, or lead to one server"),
        (OPERATOR, "store", "no standby follows it; Service harbor/store leads to Cluster store with 2 pods"),
        (ADDRESSES, "store", "no standby follows it"),
        (ALIAS % "db.example.com", "store", "no standby follows it"),
        ("", "192.0.2.7", "no standby follows it"),
    ],
)
def test_where_nothing_follows_the_store_is_named_however_many_stand_before_it(check, text, host, told):
    found = offender(check, text, ALONE, host=host, ends=never)
    assert host in found.object
    assert told in found.observed


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("told", [ALONE, UNSAID])
def test_a_service_that_somebody_else_runs_and_that_shows_nothing_is_told_as_not_verified(check, told):
    with pytest.raises(NotApplicable, match=r"by its name \(Amazon\).*NOT verified"):
        look(check, "", told, host="h.rds.amazonaws.com", place=MANAGED)
    with pytest.raises(NotApplicable, match=r"by its role rds_superuser"):
        look(check, "", Redundancy(told.survives, told.seen, "its role rds_superuser"), host="192.0.2.7")
    look(check, "", FOLLOWED, host="h.rds.amazonaws.com", place=MANAGED, ends=never)


@pytest.mark.parametrize("check", CHECKS)
def test_one_pod_of_a_proxy_before_such_a_service_is_one_server_all_the_same(check):
    assert offender(check, ONE_PROXY, ALONE, place=MANAGED).object == "Deployment harbor/store-proxy"


@pytest.mark.parametrize("check", CHECKS)
def test_what_the_store_does_not_say_is_no_verdict(check):
    with pytest.raises(CannotTell, match="permission denied"):
        look(check, "", UNSAID, host="db.example.com", ends=never)


@pytest.mark.parametrize("check", CHECKS)
def test_a_store_that_is_not_reached_from_here_blocks_the_check_where_the_cluster_does_not_tell(check):
    with pytest.raises(NeedMissing, match="needs "):
        look(check, "", FOLLOWED, host="db.example.com", need=refuse)


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_that_is_missing_is_named_unless_the_store_itself_tells_enough(check):
    hidden = {"host": "store.data.svc", "forbidden": {("data", "services")}}
    with pytest.raises(NeedMissing, match="permission to get Services in namespace data"):
        look(check, ELSEWHERE, FOLLOWED, **hidden)
    assert offender(check, ELSEWHERE, ALONE, **hidden).observed == "no standby follows it"


@pytest.mark.parametrize("check", CHECKS)
def test_a_service_that_leads_nowhere_now_is_no_verdict(check):
    with pytest.raises(CannotTell, match="leads to no pod"):
        look(check, "kind: Service\nmetadata: {name: store}\nspec: {selector: {a: b}}\n", FOLLOWED)


def test_a_database_that_refuses_is_told_as_by_every_check_of_it():
    refused = StoreRefused("database registry at store:5432: password authentication failed")
    assert "password authentication failed" in offender(database_servers, OPERATOR, refused).observed


# sessions.*

SENTINELS = SessionStore(
    "s-1",
    26379,
    password="hush",
    database=0,
    primary="harbor",
    sentinels=("s-1:26379", "s-2:26379", "s-3:26379"),
)
ONE_NAMED = SessionStore(
    "store", 26379, password="hush", database=0, primary="harbor", sentinels=("store:26379",)
)
WELL = [SentinelView(f"198.51.100.{n}:26379", 3, 3, 2) for n in (1, 2, 3)]
SILENT = StoreRefused("Sentinel 198.51.100.3:26379: timed out")


def test_where_sentinels_say_where_the_store_is_their_own_names_say_nothing_of_it():
    look(session_servers, SINGLE, FOLLOWED, store=SENTINELS, ends=never)
    found = offender(session_servers, SINGLE, ALONE, store=SENTINELS)
    assert found.object == "Redis primary harbor of the Sentinels s-1:26379, s-2:26379, s-3:26379, database 0"


def test_a_replica_that_has_just_come_is_waited_for():
    coming = Redundancy(None, "a replica is being given everything (state wait_bgsave)", passing=True)
    answers = iter([coming, coming, FOLLOWED])
    look(session_servers, OPERATOR, lambda: next(answers), ends=never)
    with pytest.raises(CannotTell, match="wait_bgsave"):
        look(session_servers, OPERATOR, coming, ends=never)


def elect(views, *, store=SENTINELS, text=SINGLE, need=lambda name: None, address=None, forbidden=()):
    with small_cluster(text, forbidden=forbidden) as kubernetes:
        harbor = harbor_with(kubernetes, FOLLOWED, store=store, views=views)
        settings = SimpleNamespace(session_store_address=address)
        examine(
            sentinels_elect,
            harbor,
            settings=settings,
            need=need,
            blocked=blocked,
            not_applicable=not_applicable,
        )


def test_sentinels_that_can_spare_one_are_well_also_when_one_is_silent_from_here_only():
    elect(WELL)
    elect([*WELL[:2], SILENT])


@pytest.mark.parametrize(
    "view, told",
    [
        (SentinelView("a", 3, 2, 2), "of which 2 are alive"),
        (SentinelView("a", 5, 3, 2), "majority 3"),
        (SentinelView("a", 3, 3, 3), "quorum 3"),
        (SentinelView("a", 1, 1, 1), "of which 1 is alive"),
        (SentinelView("a", 3, 1, 2, "NOQUORUM 1 usable Sentinels"), "NOQUORUM"),
    ],
)
def test_sentinels_that_cannot_spare_one_are_named(view, told):
    with pytest.raises(Failure) as failure:
        elect([*WELL[:2], view])
    (found,) = failure.value.offenders
    assert found.object == "Sentinel s-3:26379"
    assert told in found.observed


def test_one_sentinel_that_is_all_that_harbor_is_told_of_may_not_be_one_pod():
    with pytest.raises(Failure, match=r"StatefulSet harbor/store: 1 pod"):
        elect(WELL[:1], store=ONE_NAMED)
    elect(WELL[:1], store=ONE_NAMED, text=SINGLE.replace("replicas: 1", "replicas: 3"))
    with pytest.raises(NeedMissing, match="list pods"):
        elect(WELL[:1], store=ONE_NAMED, forbidden={("harbor", "pods")})


def test_sentinels_that_nobody_reaches_are_no_verdict():
    with pytest.raises(CannotTell, match="timed out"):
        elect([SILENT] * 3)
    with pytest.raises(NeedMissing, match="session-store"):
        elect(WELL, need=refuse)
    with pytest.raises(NeedMissing, match="past the Sentinels"):
        elect(WELL, address="localhost:6379")


def test_without_sentinels_or_without_a_store_there_is_nothing_to_say():
    with pytest.raises(NotApplicable, match="no Sentinels"):
        elect(WELL, store=SessionStore("store", 6379, password="hush", database=0))
    with small_cluster(SINGLE) as kubernetes:
        harbor = harbor_with(kubernetes, FOLLOWED)
        harbor.session_store = lambda: None
        facts = SimpleNamespace(session_store=OUTSIDE)
        more = {"facts": facts, "settings": None, "need": never, "not_applicable": not_applicable}
        with pytest.raises(NotApplicable, match="name no session store"):
            examine(session_servers, harbor, **more)
        harbor.session_store = lambda: (_ for _ in ()).throw(WrongConfiguration("it is no URL"))
        with pytest.raises(CannotTell, match="it is no URL"):
            examine(session_servers, harbor, **more)


PRIMARY = {"role": "master", "connected_slaves": 2}


def look_alone(told, *, place=OUTSIDE, ends=never):
    def facts(section):
        assert section == "replication"
        if isinstance(told, Exception):
            raise told
        return told

    harbor = SimpleNamespace(
        session_store=lambda: SessionStore("store", 6379, password="hush", database=0),
        redis=lambda store: nullcontext(SimpleNamespace(facts=facts)),
    )
    examine(refuses_alone, harbor, facts=SimpleNamespace(session_store=place), not_applicable=ends)


@pytest.mark.parametrize("good", [2, 0])
def test_a_primary_that_counts_its_good_replicas_refuses_writes_without_them(good):
    look_alone(PRIMARY | {"min_slaves_good_slaves": good})


def test_a_primary_that_counts_no_good_replicas_takes_writes_alone():
    with pytest.raises(Failure) as failure:
        look_alone(PRIMARY)
    (found,) = failure.value.offenders
    assert found.observed == "it is 0: it takes writes when no replica follows it"
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    "told, seen",
    [
        ({"role": "slave", "master_host": "192.0.2.7"}, "only its primary 192.0.2.7 says it"),
        (StoreRefused("NOPERM this user has no permissions"), "NOPERM"),
    ],
)
def test_of_a_replica_and_of_a_store_that_refuses_nobody_knows_whether_it_takes_writes_alone(told, seen):
    with pytest.raises(CannotTell, match=seen):
        look_alone(told)


@pytest.mark.parametrize(
    "told, place, why",
    [(PRIMARY, MANAGED, "NOT verified"), ({"role": "master", "connected_slaves": 0}, OUTSIDE, "no replica")],
)
def test_where_nobody_takes_over_or_others_run_it_nothing_is_asked_of_it(told, place, why):
    with pytest.raises(NotApplicable, match=why):
        look_alone(told, place=place, ends=not_applicable)
