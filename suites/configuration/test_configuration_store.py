"""What the configuration store tells the other parts of Harbor. They ask any of its replicas, and believe it."""

from fixtures.checks import check
from fixtures.errors import AnswerError, WrongConfiguration
from fixtures.model.agreement import dissent
from fixtures.model.roles import Role
from fixtures.model.stores import differences
from fixtures.verdict import Offender, judge


@check(
    "configuration.database-settings-agree",
    hint="The adminserver keeps what it first saw unless RESET is exactly `true`: set it in its ConfigMap, then delete "
    "its pods; without it an edit of MYSQL_HOST has no effect. A 401: UI_SECRET was changed after the pod began, or "
    "by hand: delete the pod.",
    source="Harbor 1.2: adminserver, GET /api/configurations, RESET",
)
def test_the_configuration_store_answers_the_database_that_its_environment_names(harbor):
    """Every replica of the configuration store answers the database that its own environment names.

    Source: Harbor 1.2, the adminserver: a stored configuration wins over the environment unless RESET is `true`.
    """
    replicas = harbor.replicas(Role.CONFIGURATION_STORE)
    profile = harbor.deployment.profile
    offenders = []
    for replica in replicas:
        expected = "answers the database that its environment names"
        try:
            wanted = profile.database(harbor.deployment.environment(replica))
            expected = f"{expected}: {wanted}"
            found = profile.configured_database(_answer_of(replica, harbor))
        except (AnswerError, WrongConfiguration) as wrong:
            offenders.append(Offender(replica.object, expected, str(wrong)))
            continue
        if phrases := differences(found, wanted):
            offenders.append(Offender(replica.object, expected, "; ".join(phrases)))
    judge(offenders, examined=len(replicas))


@check(
    "configuration.configuration-store-replicas-agree",
    hint="Each adminserver keeps a configuration of its own: what is saved in the web interface reaches one replica. "
    "Put it into the ConfigMap, with RESET exactly `true`, and delete the adminserver pods, so that all begin with "
    "the same; or let them share one store.",
    source="Harbor 1.2: adminserver, GET /api/configurations",
)
def test_every_replica_of_the_configuration_store_answers_the_same(harbor, skip):
    """All replicas of the configuration store answer the same configuration.

    Source: Harbor 1.2, GET /api/configurations. The web replicas ask any of them, every few seconds.
    """
    replicas = harbor.replicas(Role.CONFIGURATION_STORE)
    if len(replicas) < 2:
        skip(f"{harbor.workload(Role.CONFIGURATION_STORE).object} has one replica: there is none to differ")
    offenders, answers = [], {}
    for replica in replicas:
        try:
            answers[replica.object] = _answer_of(replica, harbor)
        except (AnswerError, WrongConfiguration) as wrong:
            offenders.append(Offender(replica.object, "answers its configuration", str(wrong)))
    offenders += [
        Offender(name, "the same configuration as most replicas", "; ".join(phrases))
        for name, phrases in dissent(answers).items()
    ]
    judge(offenders, examined=len(replicas))


def _answer_of(replica, harbor):
    """The configuration that a replica answers. Holds secrets."""
    secret = harbor.deployment.profile.configuration_secret(harbor.deployment.environment(replica))
    return harbor.configuration_store(replica).configurations(secret)
