"""`docker login`, through the front door as it comes from developers and nodes."""

import re
from concurrent.futures import ThreadPoolExecutor

from harbor_verify.checks import check
from harbor_verify.clients.docker import Docker
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import DockerRefused
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.target import Target

_AT_ONCE = 6
_UNAUTHORIZED = re.compile(r"\b(unauthorized|401)\b", re.IGNORECASE)
"""What a docker daemon says of a password that was refused, whichever release it is."""


@check(
    "access.docker-login",
    hint="Refused now and then: one replica differs from the others. A {web} that signs with another key, see "
    "configuration.registry-trusts-token-key; one that lets nobody in, see access.login-accepts-right-password. "
    "A wrong password is refused for another reason than that it is wrong (500, no answer): the log of {web}. "
    "Refused each time: the realm, see access.realm-reachable-by-clients. A wrong password is let in: the registry "
    "asks nobody who they are, see configuration.registry-config-in-effect.",
    source="docker login; distribution: token authentication",
    needs=("docker",),
    builds_on=(
        "access.realm-reachable-by-clients",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_docker_logs_in_with_the_right_password_each_time_and_never_with_a_wrong_one(
    harbor: Target, findings: Findings, docker: Docker, new_user, measured
):
    """A docker client logs in through the front door with the right password each time, and never with a wrong one.

    Source: docker login. As often as it takes to meet each web and registry replica behind the front door.
    """
    replicas = max(len(harbor.replicas(Role.WEB)), len(harbor.registry_api_replicas()))
    tries = rounds_to_meet_each(replicas)
    measured["logins_count"] = tries
    user = new_user()
    # A user of the suite's own: a wrong password locks its user for a while.
    wrong = Credentials(user.user, f"not-{user.password}")
    front_door = f"front door {harbor.access.url}"
    expected = f"{harbor.client.user} is let in each of {tries} times, one of which met each replica"
    with findings.about(front_door, expected) as right_password:
        errors = [error for _ in range(tries) if (error := _refusal(docker, harbor, harbor.client))]
        if errors:
            right_password.wrong(f"refused {len(errors)} times; first: {errors[0]}")
    # Several at once: Harbor lets each wait for 1.5 s.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda _: _refusal(docker, harbor, wrong), range(tries)))
    expected = f"a wrong password is refused, as unauthorized (401), each of {tries} times"
    with findings.about(front_door, expected) as wrong_password:
        if let_in := answers.count(""):
            wrong_password.wrong(f"let in {let_in} times")
        # A Harbor that fails lets nobody in either: that is no look at the password.
        if failed := [answer for answer in answers if answer and not _UNAUTHORIZED.search(answer)]:
            wrong_password.wrong(f"{len(failed)} times not; first: {failed[0]}")


def _refusal(docker, harbor, credentials):
    """What the daemon reports; empty when it logged in."""
    try:
        docker.login(harbor.registry_host, credentials)
    except DockerRefused as refusal:
        return str(refusal)
    return ""
