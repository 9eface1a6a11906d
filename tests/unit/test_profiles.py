"""What every generation of Harbor must say of itself, and what checks say in its words."""

import re
from dataclasses import fields
from functools import cache
from types import SimpleNamespace

import pytest

from docs import catalogue
from harbor_verify.checks import Check, check
from harbor_verify.clients import capabilities
from harbor_verify.errors import CheckDefinitionError
from harbor_verify.facts import Exposure, Fact, ImageStore, StorePlace
from harbor_verify.facts.words import NARROWED, words_of
from harbor_verify.model.roles import Feature, Role, Standing
from harbor_verify.model.words import NEUTRAL, Words
from harbor_verify.plugin import run
from harbor_verify.profiles import ALL, harbor_1_2, harbor_2
from harbor_verify.reports.model import Verdict

CLIENTS = {
    Feature.FORM_TOKENS: capabilities.ProtectsForms,
    Feature.HEALTH_REPORT: capabilities.ReportsHealth,
    Feature.JOB_LOGS: capabilities.RunsJobs,
    Feature.METRICS: capabilities.CountsProjects,
    Feature.QUOTAS: capabilities.CountsStorage,
    Feature.REPLICATION: capabilities.Replicates,
    Feature.REQUESTS_TAKEN_UP_EARLY: capabilities.TakesUpRequestsEarly,
    Feature.ROBOTS: capabilities.HasRobots,
    Feature.SCANNERS: capabilities.HasScanners,
    Feature.SCHEDULES: capabilities.RunsSchedules,
}
"""What the client of a profile with such a feature can do."""
PLACE = re.compile(r"\{\w*\}")
SEAM = re.compile(r"\.\.|,,| ,|  |;\.|\b(a|an|the|its|dead|every|each) (a|an|the|its|what)\b", re.IGNORECASE)
"""Where words that were put into a sentence do not fit into it."""
each_profile = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


@cache
def every_check():
    return catalogue.checks_of_suites()


def facts(**given):
    """Of a deployment that tells everything, with its details."""
    values = {
        "exposure": Exposure.UNKNOWN,
        "images": ImageStore.UNKNOWN,
        "database": StorePlace.UNKNOWN,
    } | given
    named = {
        Exposure.INGRESS: Fact(Exposure.INGRESS, "Ingress harbor/door", "harbor.example"),
        Exposure.ROUTE: Fact(Exposure.ROUTE, "HTTPRoute harbor/door"),
        ImageStore.CLAIMS: Fact(ImageStore.CLAIMS, "/etc/x.yml", "/storage in PersistentVolumeClaim images"),
        ImageStore.OBJECT_STORE: Fact(ImageStore.OBJECT_STORE, "/etc/x.yml", "driver s3, without redirect"),
        ImageStore.CONTAINER: Fact(ImageStore.CONTAINER, "/etc/x.yml", "/storage, which goes with the pod"),
        ImageStore.INLINE_VOLUME: Fact(ImageStore.INLINE_VOLUME, "/etc/x.yml", "/storage in volume data"),
        StorePlace.IN_CLUSTER: Fact(StorePlace.IN_CLUSTER, "Service harbor/database", "PostgreSQL, 1 pod"),
    }
    return SimpleNamespace(**{name: named.get(value, Fact(value, "x")) for name, value in values.items()})


LAYOUTS = [facts()] + [
    facts(**{name: value})
    for name, kind in (("exposure", Exposure), ("images", ImageStore), ("database", StorePlace))
    for value in kind
]


@each_profile
def test_every_hint_is_told_in_the_words_of_profile_and_facts_with_no_seam(profile):
    wrong = {}
    for layout in LAYOUTS:
        words = words_of(profile.words, layout)
        for each in every_check():
            text = words.fill(each.hint)
            if PLACE.search(text) or "{{" in text or SEAM.search(text.replace("...", "")):
                wrong[each.id] = text
    assert not wrong


def test_a_hint_names_what_this_deployment_has():
    hint = "{body_limit} / {shared_images} / {way_to_database} / {front_door}"
    layout = facts(exposure=Exposure.INGRESS, images=ImageStore.OBJECT_STORE, database=StorePlace.IN_CLUSTER)
    text = words_of(harbor_2.PROFILE.words, layout).fill(hint)
    for word in ("Ingress harbor/door", "Service harbor/database", "bucket", "the ingress controller"):
        assert word in text
    assert "claim" not in text


def test_what_a_setting_says_without_a_place_leaves_the_general_word():
    said = facts()
    said.exposure = Fact(Exposure.INGRESS, "said by --facts")
    words = words_of(harbor_2.PROFILE.words, said)
    assert words.front_door == "the ingress controller"
    assert words.body_limit == NEUTRAL.body_limit


@each_profile
def test_a_profile_has_words_of_its_own_for_what_its_checks_speak_of(profile):
    """A default is for the catalogue only; for a part that is called like its role it is right."""
    own_name = {"registry", "configuration_store", "job", "page"}
    spoken_of = {
        word
        for each in every_check()
        if not each.lacking(profile.present)
        for word in PLACE.findall(each.hint)
    }
    names = {field.name for field in fields(Words)} - own_name - set(NARROWED)
    missing = [
        name
        for name in sorted(names)
        if f"{{{name}}}" in spoken_of and getattr(profile.words, name) == getattr(NEUTRAL, name)
    ]
    assert not missing


@each_profile
def test_a_profile_is_whole(profile):
    assert profile.required <= profile.parts.keys()
    assert {profile.registry_api, profile.database_role} <= profile.required | {Role.CONFIGURATION_STORE}
    assert (profile.configuration_store is not None) == (Role.CONFIGURATION_STORE in profile.parts)
    assert {row.table for row in profile.first_rows} <= profile.tables
    assert profile.actions.keys() == set(Standing)
    assert (profile.secret_key is not None) == (Feature.SECRET_KEY in profile.features)
    for feature, client in CLIENTS.items():
        methods = [name for name in vars(client) if not name.startswith("_")]
        can = [name for name in methods if hasattr(profile.api, name)]
        assert can == (methods if feature in profile.features else []), feature


def test_profiles_have_names_and_labels_of_their_own():
    assert len({profile.name for profile in ALL}) == len(ALL)
    labels = [set(part.labels) for profile in ALL for part in profile.parts.values()]
    assert sum(map(len, labels)) == len(set().union(*labels))


def test_every_feature_and_role_that_a_check_requires_is_there_in_some_profile():
    for each in every_check():
        assert any(not each.lacking(profile.present) for profile in ALL), each.id


def test_a_place_in_a_hint_that_no_word_fits_is_refused():
    def test_it():
        """It holds."""

    for hint in ("look at {weeb}", "look at {", "{}"):
        with pytest.raises(CheckDefinitionError, match="a place that no word fits"):
            check("unit.no-such-word", hint=hint, source="x")(test_it)
    assert NEUTRAL.fill("every {web} replica, {{as is}}") == "every web replica, {as is}"


def item(id, *requires):
    test = SimpleNamespace(check=Check(id, "c", "h", "s", (), requires, "t"))
    return SimpleNamespace(function=test)


@pytest.mark.parametrize(
    "profile, left, reasons",
    [
        (harbor_1_2.PROFILE, ["u.all", "u.store"], {"u.robots": "harbor-1.2 has no robot accounts"}),
        (harbor_2.PROFILE, ["u.all", "u.robots"], {"u.store": "harbor-2 has no configuration store"}),
    ],
)
def test_a_check_that_requires_what_a_profile_lacks_is_neither_run_nor_asked_for(profile, left, reasons):
    items = [
        item("u.all", Role.WEB),
        item("u.store", Role.CONFIGURATION_STORE),
        item("u.robots", Feature.ROBOTS),
    ]
    deselected = []
    hook = SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items))
    session = SimpleNamespace(items=list(items), config=SimpleNamespace(hook=hook))
    report = SimpleNamespace(results=[])
    run._leave_out_what_does_not_apply(
        session,
        SimpleNamespace(target=SimpleNamespace(profile=profile), facts=profile, words=NEUTRAL, report=report),
    )
    assert [each.function.check.id for each in session.items] == left
    assert {result.id: result.message for result in report.results} == reasons
    assert {result.verdict for result in report.results} == {Verdict.NOT_APPLICABLE}
    assert len(deselected) == 1
