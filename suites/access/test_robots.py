"""Robot accounts: what pipelines push and pull with."""

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.model.roles import Feature, Role
from harbor_verify.verdict import Failure, Offender, expecting, judge

_REFUSED = (401, 403, 404)


@check(
    "access.robot-account-pushes-and-pulls",
    hint="Refused on some replicas only: they sign with different keys, see configuration.registry-trusts-token-key, "
    "or ask different databases. Refused everywhere: the permissions of the robot account (Harbor: Projects, Robot "
    "Accounts), or when it ends. Let in elsewhere, or after it was deleted: revoke its secret, and look for the "
    "replica's database.",
    source="Harbor: robot accounts; distribution: token authentication",
    requires=(Feature.ROBOTS,),
)
def test_a_robot_account_pushes_and_pulls_in_its_project_and_nowhere_else(
    harbor, project, public_project, new_image, run_id, later
):
    """A robot account pushes to and pulls from its project on every replica, not another one, and nothing once deleted.

    Source: Harbor, robot accounts. Its own token decides: a wrong secret is answered with a token, too, for nothing.
    """
    replicas, webs = harbor.registry_api_replicas(), harbor.replicas(Role.WEB)
    robot = _make(harbor, project, f"verify-{run_id}", later)
    offenders = []
    for replica in replicas:
        registry, image = harbor.registry(replica, robot.credentials), new_image()
        repository = f"{project}/robot-{replica.name}"
        with expecting(offenders, replica.object, f"a robot pushes to {repository}, and pulls from it"):
            digest = registry.push(image, repository, "robot")
            if registry.pull(repository, digest) != image:
                offenders.append(Offender(replica.object, "gives what a robot pushed", "other bytes"))
        expected = f"refuses a robot of {project} to push to {public_project} (401, 403 or 404)"
        try:
            registry.begin_upload(f"{public_project}/robot")
            offenders.append(Offender(replica.object, expected, "it was let in"))
        except UnexpectedAnswer as refusal:
            if refusal.status not in _REFUSED:
                offenders.append(Offender(replica.object, expected, str(refusal)))
        except AnswerError as silence:
            offenders.append(Offender(replica.object, expected, str(silence)))
    try:
        harbor.front_door.delete_robot(robot.id, harbor.credentials)
    except AnswerError as refusal:
        offenders.append(Offender(f"front door {harbor.access.url}", "deletes the robot", str(refusal)))
        judge(offenders, examined=len(replicas))
    for replica in webs:
        offenders += _still_let_in(replica, harbor, project, robot)
    judge(offenders, examined=len(replicas) + len(webs))


def _make(harbor, project, name, later):
    """A robot of the project, removed at the end of the run. Raises Failure when Harbor makes none."""
    front, admin = harbor.front_door, harbor.credentials
    try:
        robot = front.create_robot(name, front.projects(project, admin)[project], admin)
    except (AnswerError, KeyError) as refusal:
        expected = f"a robot account of {project} can be made"
        place = f"front door {harbor.access.url}"
        raise Failure([Offender(place, expected, str(refusal))]) from refusal
    later(f"robot {robot.credentials.user}", lambda: front.delete_robot(robot.id, admin), robot.credentials)
    return robot


def _still_let_in(replica, harbor, project, robot):
    """An offender when the token of a robot that was deleted allows something."""
    expected = "gives a deleted robot no token that allows anything"
    try:
        scope = f"repository:{project}/robot:push,pull"
        grants = token_service.fetch(harbor.web(replica).http, robot.credentials, scope).grants
    except UnexpectedAnswer as refusal:
        return [] if refusal.status in _REFUSED else [Offender(replica.object, expected, str(refusal))]
    except AnswerError as silence:
        return [Offender(replica.object, expected, str(silence))]
    return [Offender(replica.object, expected, f"it grants {grants}")] if grants else []
