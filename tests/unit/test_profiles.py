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
from harbor_verify.model.roles import Feature, Role, Standing
from harbor_verify.model.words import NEUTRAL, Words
from harbor_verify.plugin import run
from harbor_verify.profiles import ALL, harbor_1_2, harbor_2
from harbor_verify.reports.model import Verdict

CLIENTS = {
    Feature.FORM_TOKENS: capabilities.ProtectsForms,
    Feature.HEALTH_REPORT: capabilities.ReportsHealth,
    Feature.JOB_LOGS: capabilities.RunsJobs,
    Feature.QUOTAS: capabilities.CountsStorage,
    Feature.ROBOTS: capabilities.HasRobots,
}
"""What the client of a profile with such a feature can do."""
PLACE = re.compile(r"\{\w*\}")
each_profile = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


@cache
def every_check():
    return catalogue.checks_of_suites()


@each_profile
def test_every_hint_is_told_in_a_profiles_own_words_with_no_place_left(profile):
    wrong = {}
    for each in every_check():
        told = profile.words.fill(each.hint)
        if PLACE.search(told) or "{{" in told or re.search(r"\.\.|,,| ,|  |;\.", told.replace("...", "")):
            wrong[each.id] = told
    assert not wrong


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
    names = {field.name for field in fields(Words)} - own_name
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
        session, SimpleNamespace(target=SimpleNamespace(profile=profile), facts=profile, report=report)
    )
    assert [each.function.check.id for each in session.items] == left
    assert {result.id: result.message for result in report.results} == reasons
    assert {result.verdict for result in report.results} == {Verdict.NOT_APPLICABLE}
    assert len(deselected) == 1
