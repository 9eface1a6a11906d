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


def template(component):
    return SimpleNamespace(metadata=SimpleNamespace(labels={"component": component}))


def harbor(*there, desired=3, jobs=0, databases=0):
    """Web, and what else a budget may choose: another part of Harbor, a database of the same release."""
    workloads = {
        role: SimpleNamespace(desired=number, object=f"Deployment h/{name}", template=template(name))
        for role, name, number in ((Role.WEB, "web", desired), (Role.JOB, "job", jobs))
    }
    database = SimpleNamespace(spec=SimpleNamespace(replicas=databases, template=template("database")))
    return SimpleNamespace(
        deployment=SimpleNamespace(
            workloads=workloads, disruption_budgets=lambda: list(there), others=lambda: [database]
        )
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


@pytest.mark.parametrize("there", [budget(least=4), budget(most=1), budget(most="20%")])
def test_one_budget_for_all_of_harbor_counts_all_of_its_pods(there):
    """Of web's 3 pods and the database's 3, minAvailable 4 lets 2 go: of web alone it would let none."""
    examine(check, harbor(there, databases=3), never)


@pytest.mark.parametrize(
    "there, lost, told",
    [
        (budget(least=1), ["web", "job"], "lets 5 of their 6 pods go"),
        (budget(least="50%"), ["web", "job"], "lets 3 of their 6 pods go"),
        (budget(least=4), ["job"], "lets 2 of their 6 pods go"),
        (budget(most=2), ["job"], "lets 2 of their 6 pods go"),
    ],
)
def test_one_budget_for_all_of_harbor_that_lets_a_whole_part_go_is_told_with_what_it_counts(
    there, lost, told
):
    offenders = offenders_of(check, harbor(there, jobs=2, databases=1), never)
    assert [offender.object for offender in offenders] == [f"Deployment h/{name}" for name in lost]
    assert all(told in offender.observed for offender in offenders)


def test_a_budget_for_all_that_lets_nobody_go_is_told_of_every_part():
    offenders = offenders_of(check, harbor(budget(least=6), jobs=2, databases=1), never)
    assert {offender.observed for offender in offenders} == {"b lets none go: no drain ever ends"}


def test_a_single_replica_under_a_budget_for_all_may_go_while_others_stay():
    examine(check, harbor(budget(least=4), jobs=1, databases=1), never)
