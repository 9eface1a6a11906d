"""Pushing and pulling as developers do: with a docker daemon, through the front door."""

from fixtures.checks import check
from fixtures.errors import AnswerError, DockerTrouble
from fixtures.verdict import Offender, judge


@check(
    "registry.busybox-push-pull",
    hint="A refused login or push: the token service and its key (realm, root.crt) or the front door. "
    "A push that works and a pull that does not: the registry's replicas do not share their storage, or do not read "
    "their configuration; see the storage and configuration checks.",
    source="docker login, push, pull, run; OCI distribution specification",
    needs=("docker",),
)
def test_busybox_is_pushed_pulled_back_unchanged_and_runs(harbor, docker, image):
    """A docker client signs in, pushes a fresh busybox image, pulls it back with the same digest, and it runs.

    Source: docker's own client; the image is made for this run, so nothing of it was in the registry before.
    """
    if docker.run(image.reference).strip() != image.message:
        raise DockerTrouble("the image does not run in this docker daemon even before it is pushed")
    step = f"sign in to {harbor.registry_host}"
    try:
        docker.login(harbor.registry_host, harbor.credentials)
        step = "push"
        pushed = docker.push(image.reference, harbor.credentials)
        docker.remove(image.reference)
        if docker.has(image.reference):
            raise DockerTrouble(
                f"{image.reference} is still there after it was removed: a pull would prove nothing"
            )
        step = "pull what was pushed"
        pulled = docker.pull(image.reference, harbor.credentials)
    except AnswerError as refusal:
        judge([Offender(image.reference, f"the docker daemon can {step}", str(refusal))], examined=1)
        return
    offenders = []
    if pulled != pushed:
        offenders.append(Offender(image.reference, f"digest {pushed}, as pushed", f"digest {pulled}"))
    printed = docker.run(image.reference).strip()
    if printed != image.message:
        offenders.append(Offender(image.reference, f'prints "{image.message}"', f'prints "{printed}"'))
    judge(offenders, examined=1)
