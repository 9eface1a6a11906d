"""What the configuration store tells the other parts of Harbor. They ask any of its replicas, and believe it."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, WrongConfiguration
from harbor_verify.model.agreement import dissent
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import differences
from harbor_verify.verdict import Offender, judge


@check(
    "configuration.database-settings-agree",
    hint="The {configuration_store} keeps what it first saw unless it is told to begin anew: {database_settings}; "
    "{after_change}. A 401: the secret that it shares with the others was changed after the pod began, or by hand: "
    "delete the pod.",
    source="Harbor: the configuration store's answer, and the environment of its pods",
    requires=(Role.CONFIGURATION_STORE,),
)
def test_the_configuration_store_answers_the_database_that_its_environment_names(harbor):
    """Every replica of the configuration store answers the database that its own environment names.

    Source: Harbor: a stored configuration wins over the environment unless it is told to begin anew.
    """
    replicas = harbor.replicas(Role.CONFIGURATION_STORE)
    offenders = []
    for replica in replicas:
        expected = "answers the database that its environment names"
        try:
            wanted = harbor.profile.database(harbor.deployment.environment(replica))
            expected = f"{expected}: {wanted}"
            found = harbor.profile.configuration_store.database(harbor.configurations(replica))
        except (AnswerError, WrongConfiguration) as wrong:
            offenders.append(Offender(replica.object, expected, str(wrong)))
            continue
        if phrases := differences(found, wanted):
            offenders.append(Offender(replica.object, expected, "; ".join(phrases)))
    judge(offenders, examined=len(replicas))


@check(
    "configuration.configuration-store-replicas-agree",
    hint="Each {configuration_store} replica keeps a configuration of its own: what is saved in the web interface "
    "reaches one of them. Put it into the ConfigMap that all begin with, {after_change}; or let them share one store. "
    "(What the environment says wins only when the store is told to begin anew: {database_settings}.)",
    source="Harbor: the configuration store's answer",
    requires=(Role.CONFIGURATION_STORE,),
)
def test_every_replica_of_the_configuration_store_answers_the_same(harbor, not_applicable):
    """All replicas of the configuration store answer the same configuration.

    Source: Harbor: the web replicas ask any of them, every few seconds.
    """
    replicas = harbor.replicas(Role.CONFIGURATION_STORE)
    if len(replicas) < 2:
        not_applicable(
            f"{harbor.workload(Role.CONFIGURATION_STORE).object} has one replica: there is none to differ"
        )
    offenders, answers = [], {}
    for replica in replicas:
        try:
            answers[replica.object] = harbor.configurations(replica)
        except (AnswerError, WrongConfiguration) as wrong:
            offenders.append(Offender(replica.object, "answers its configuration", str(wrong)))
    offenders += [
        Offender(name, "the same configuration as most replicas", "; ".join(phrases))
        for name, phrases in dissent(answers).items()
    ]
    judge(offenders, examined=len(replicas))
