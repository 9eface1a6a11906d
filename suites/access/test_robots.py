"""Robot accounts: what pipelines push and pull with."""

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target

_REFUSED = (401, 403, 404)


@check(
    "access.robot-account-pushes-and-pulls",
    hint="Refused on some replicas only: they sign with different keys, see configuration.registry-trusts-token-key, "
    "or ask different databases. Refused everywhere: the permissions of the robot account (Harbor: Projects, Robot "
    "Accounts), or when it ends. Let in elsewhere, or after it was deleted: revoke its secret, and look for the "
    "replica's database.",
    source="Harbor: robot accounts; distribution: token authentication",
    requires=(Feature.ROBOTS,),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-trusts-token-key",
        "registry.redirect-leads-to-the-blob",
        "database.grants-sufficient",
    ),
)
def test_a_robot_account_pushes_and_pulls_in_its_project_and_nowhere_else(
    harbor: Target, findings: Findings, project, public_project, new_image, new_robot
):
    """A robot account pushes to and pulls from its project on every replica, not another one, and nothing once deleted.

    Source: Harbor, robot accounts. Its own token decides: a wrong secret is answered with a token, too, for nothing.
    """
    robot = new_robot(project)

    def examine(replica: Replica, findings: Findings) -> None:
        registry, image = harbor.registry(replica, robot.credentials), new_image()
        repository = f"{project}/robot-{replica.name}"
        expected = f"a robot pushes to {repository}, and pulls from it"
        with findings.about(replica.object, expected) as round_trip:
            digest = registry.push(image, repository, "robot")
            if registry.pull(repository, digest) != image:
                round_trip.wrong("other bytes", expected="gives what a robot pushed")
        expected = f"refuses a robot of {project} to push to {public_project} (401, 403 or 404)"
        with findings.about(replica.object, expected) as elsewhere:
            try:
                registry.begin_upload(f"{public_project}/robot")
            except UnexpectedAnswer as answer:
                if answer.status not in _REFUSED:
                    raise
            else:
                elsewhere.wrong("it was let in")

    findings.side_by_side(harbor.registry_api_replicas(), examine)
    deleted = False
    with findings.about(f"front door {harbor.access.url}", "deletes the robot"):
        harbor.front_door.delete_robot(robot.id, harbor.credentials)
        deleted = True

    def examine_after(replica: Replica, findings: Findings) -> None:
        with findings.about(replica.object, "gives a deleted robot no token that allows anything") as token:
            if grants := _grants(replica, harbor, project, robot):
                token.wrong(f"it grants {grants}")

    findings.side_by_side(harbor.replicas(Role.WEB) if deleted else (), examine_after)


def _grants(replica, harbor, project, robot):
    """What the robot's token allows; nothing where it is refused. Raises AnswerError."""
    scope = f"repository:{project}/robot:push,pull"
    try:
        return token_service.fetch(harbor.web(replica).http, robot.credentials, scope).grants
    except UnexpectedAnswer as answer:
        if answer.status not in _REFUSED:
            raise
        return {}
