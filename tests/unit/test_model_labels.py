"""Label selectors."""

import pytest
from kubernetes.client import V1LabelSelector, V1LabelSelectorRequirement

from harbor_verify.model import labels

VOLUME = {"type": "registry", "tier": "fast"}


def selector(*expressions, **match_labels):
    requirements = [
        V1LabelSelectorRequirement(key=key, operator=operator, values=values)
        for key, operator, values in expressions
    ]
    return V1LabelSelector(match_labels=match_labels or None, match_expressions=requirements or None)


@pytest.mark.parametrize(
    "chosen",
    [
        selector(),
        selector(type="registry"),
        selector(type="registry", tier="fast"),
        selector(("tier", "In", ["slow", "fast"])),
        selector(("tier", "NotIn", ["slow"])),
        selector(("absent", "NotIn", ["x"])),
        selector(("tier", "Exists", None)),
        selector(("absent", "DoesNotExist", None)),
    ],
)
def test_labels_that_are_asked_for_match(chosen):
    assert labels.matches(chosen, VOLUME)


@pytest.mark.parametrize(
    "chosen",
    [
        selector(type="log"),
        selector(type="registry", tier="slow"),
        selector(absent="x"),
        selector(("tier", "In", ["slow"])),
        selector(("absent", "In", ["x"])),
        selector(("tier", "NotIn", ["fast"])),
        selector(("absent", "Exists", None)),
        selector(("tier", "DoesNotExist", None)),
        selector(("tier", "Exists", None), type="log"),
    ],
)
def test_labels_of_which_one_is_not_as_asked_do_not_match(chosen):
    assert not labels.matches(chosen, VOLUME)


@pytest.mark.parametrize(
    "chosen, asked",
    [
        (selector(type="registry"), {"type": "registry"}),
        (selector(("tier", "In", ["slow", "fast"]), type="registry"), VOLUME),
        (selector(("tier", "Exists", None), ("absent", "DoesNotExist", None)), {"tier": "fast"}),
        (selector(("tier", "NotIn", ["slow"])), VOLUME),
    ],
)
def test_what_a_selector_asks_for_is_said_by_labels_of_what_it_matches(chosen, asked):
    assert labels.asked_of(chosen, VOLUME) == asked


def test_a_selector_is_told_in_one_line():
    chosen = selector(
        ("tier", "In", ["a", "b"]),
        ("age", "NotIn", ["old"]),
        ("disk", "Exists", None),
        ("lost", "DoesNotExist", None),
        type="registry",
    )
    assert labels.words(chosen) == "type=registry, tier in (a, b), age not in (old), disk, !lost"
    assert labels.words(selector()) == "anything"


@pytest.mark.parametrize(
    "sets, selector",
    [
        ([], ""),
        ([{"app": "harbor"}, {"component": "core"}], ""),
        (
            [{"name": "ui-apps"}, {"name": "registry-apps"}, {"name": "ui-apps"}],
            "name in (registry-apps,ui-apps)",
        ),
        (
            [{"app": "harbor", "component": "core"}, {"app": "harbor", "component": "portal", "tier": "x"}],
            "app in (harbor),component in (core,portal)",
        ),
        ([{"release": ""}, {"release": "harbor"}], "release in (,harbor)"),
    ],
)
def test_one_selector_is_met_by_all_of_several_sets_of_labels(sets, selector):
    assert labels.selector_of_all(sets) == selector
