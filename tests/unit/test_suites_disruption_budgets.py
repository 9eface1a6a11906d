"""The check of PodDisruptionBudgets, and what a budget lets go."""

from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.errors import NotApplicable
from harbor_verify.model import budgets
from harbor_verify.model.roles import Role
from suites.configuration.test_disruption_budgets import (
    test_a_drain_cannot_evict_all_replicas_of_a_part as check,
)
from tests.unit.running import examine, never, not_applicable, offenders_of


def budget(name="b", *, labels=None, expressions=None, least=None, most=None):
    return client.V1PodDisruptionBudget(
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1PodDisruptionBudgetSpec(
            selector=client.V1LabelSelector(match_labels=labels, match_expressions=expressions),
            min_available=least,
            max_unavailable=most,
        ),
    )


def harbor(*there, desired=3):
    workload = SimpleNamespace(
        desired=desired,
        object="Deployment h/web",
        template=SimpleNamespace(metadata=SimpleNamespace(labels={"component": "web"})),
    )
    return SimpleNamespace(
        deployment=SimpleNamespace(workloads={Role.WEB: workload}, disruption_budgets=lambda: list(there))
    )


WEB = {"component": "web"}


@pytest.mark.parametrize(
    "there",
    [
        budget(labels=WEB, most=1),
        budget(labels=WEB, least=1),
        budget(labels=WEB, least="50%"),
        budget(most=2),
    ],
)
def test_a_budget_that_keeps_a_replica_is_well(there):
    examine(check, harbor(there), never)


@pytest.mark.parametrize(
    "there, told",
    [
        ([], "none chooses its pods"),
        ([budget(labels={"component": "other"}, most=1)], "none chooses its pods"),
        ([budget(labels=WEB, most="100%")], "b lets all of them go"),
        ([budget(labels=WEB, least=0)], "b lets all of them go"),
        ([budget(labels=WEB, most=0)], "b lets none go: no drain ever ends"),
        ([budget(labels=WEB, least=3)], "b lets none go: no drain ever ends"),
        ([budget(labels=WEB, least=4)], "b lets none go: no drain ever ends"),
        ([budget(labels=WEB, least="100%")], "b lets none go: no drain ever ends"),
        (
            [budget("a", labels=WEB, most=1), budget("b", most=1)],
            "a, b: of a pod with 2 budgets the API refuses every eviction",
        ),
    ],
)
def test_replicas_of_which_all_or_none_may_be_evicted_are_named(there, told):
    (offender,) = offenders_of(check, harbor(*there), never)
    assert (offender.object, offender.observed) == ("Deployment h/web", told)


def test_where_nothing_is_replicated_the_check_says_so():
    with pytest.raises(NotApplicable, match="several replicas"):
        examine(check, harbor(desired=1), not_applicable)


@pytest.mark.parametrize(
    "operator, values, fits",
    [
        ("In", ["web"], True),
        ("In", ["job"], False),
        ("NotIn", ["web"], False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
    ],
)
def test_expressions_choose_as_kubernetes_does(operator, values, fits):
    expression = client.V1LabelSelectorRequirement(key="component", operator=operator, values=values)
    assert budgets.chooses(budget(expressions=[expression]), WEB) is fits


def test_a_percentage_is_rounded_up():
    assert budgets.allowed(budget(most="34%"), 3) == 2
    assert budgets.allowed(budget(least="34%"), 3) == 1


def test_a_single_replica_needs_no_budget_but_one_that_keeps_it_is_told():
    """minAvailable 1 of one replica: each drain waits for ever at its node."""
    with pytest.raises(NotApplicable):
        examine(check, harbor(desired=1), not_applicable)
    examine(check, harbor(budget(labels=WEB, most=1), desired=1), never)
    (offender,) = offenders_of(check, harbor(budget(labels=WEB, least=1), desired=1), never)
    assert offender.observed == "b lets none go: no drain ever ends"
    with pytest.raises(NotApplicable):
        examine(check, harbor(budget(labels=WEB, least=1), desired=0), not_applicable)
