"""What the configuration store tells the other parts of Harbor. They ask any of its replicas, and believe it."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.agreement import dissent
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import differences
from harbor_verify.target import Target


@check(
    "configuration.database-settings-agree",
    hint="The {configuration_store} keeps what it first saw unless it is told to begin anew: {database_settings}; "
    "{after_change}. A 401: the secret that it shares with the others was changed after the pod began, or by hand: "
    "delete the pod.",
    source="Harbor: the configuration store's answer, and the environment of its pods",
    requires=(Role.CONFIGURATION_STORE,),
)
def test_the_configuration_store_answers_the_database_that_its_environment_names(
    harbor: Target, findings: Findings
):
    """Every replica of the configuration store answers the database that its own environment names.

    Source: Harbor: a stored configuration wins over the environment unless it is told to begin anew.
    """
    expected = "answers the database that its environment names"
    for replica in harbor.replicas(Role.CONFIGURATION_STORE):
        with findings.about(replica.object, expected) as answer:
            named = harbor.profile.database(harbor.deployment.environment(replica))
            answer.expected = f"{expected}: {named}"
            answered = harbor.profile.configuration_store.database(harbor.configurations(replica))
            if phrases := differences(answered, named):
                answer.wrong("; ".join(phrases))


@check(
    "configuration.configuration-store-replicas-agree",
    hint="Each {configuration_store} replica keeps a configuration of its own: what is saved in the web interface "
    "reaches one of them. Put it into the ConfigMap that all begin with, {after_change}; or let them share one store. "
    "(What the environment says wins only when the store is told to begin anew: {database_settings}.)",
    source="Harbor: the configuration store's answer",
    requires=(Role.CONFIGURATION_STORE,),
)
def test_every_replica_of_the_configuration_store_answers_the_same(
    harbor: Target, findings: Findings, not_applicable
):
    """All replicas of the configuration store answer the same configuration.

    Source: Harbor: the web replicas ask any of them, every few seconds.
    """
    replicas = harbor.replicas(Role.CONFIGURATION_STORE)
    if len(replicas) < 2:
        not_applicable(
            f"{harbor.workload(Role.CONFIGURATION_STORE).object} has one replica: there is none to differ"
        )
    answers = {}
    for replica in replicas:
        with findings.about(replica.object, "answers its configuration"):
            answers[replica.object] = harbor.configurations(replica)
    for name, phrases in dissent(answers).items():
        findings.wrong(name, "the same configuration as most replicas", "; ".join(phrases))
