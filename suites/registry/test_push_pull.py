"""Pushing and pulling as developers do: with a docker daemon, through the front door."""

from harbor_verify.checks import check
from harbor_verify.clients.docker import Docker
from harbor_verify.errors import AnswerError, DockerDaemonFailed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.target import Target


@check(
    "registry.busybox-push-pull",
    hint="A refused login or push: the token service and its key (realm, root.crt) or the front door. "
    "A push that works and a pull that does not: the registry's replicas do not share their storage, or do not read "
    "their configuration; see the storage and configuration checks.",
    source="docker login, push, pull, run; OCI distribution specification",
    needs=("docker",),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
        "access.docker-login",
        "images.docker-manifest-list-unchanged",
    ),
)
def test_busybox_is_pushed_pulled_back_unchanged_and_runs(
    harbor: Target, findings: Findings, docker: Docker, image
):
    """A docker client signs in, pushes a fresh busybox image, pulls it back with the same digest, and it runs.

    Source: docker's own client; the image is made for this run, so nothing of it was in the registry before. Again and
    again, as behind the front door another replica answers each time.
    """
    if docker.run(image.reference).strip() != image.message:
        raise DockerDaemonFailed("the image does not run in this docker daemon even before it is pushed")
    # Each round pushes once and pulls once, and each of these asks for a token at least.
    most = max(len(harbor.replicas(role)) for role in (Role.WEB, Role.REGISTRY))
    references = [
        f"{image.reference}-{number}" for number in range(rounds_to_meet_each(most, draws_per_round=2))
    ]
    step, thing = f"sign in to {harbor.registry_host}", image.reference
    pushed = {}
    try:
        docker.login(harbor.registry_host, harbor.client)
        step = "push"
        for thing in references:
            docker.tag(image.reference, thing)
            pushed[thing] = docker.push(thing, harbor.client)
        _forget(docker, [image.reference, *references])
        step = "pull what was pushed"
        for thing in references:
            digest = docker.pull(thing, harbor.client)
            with findings.about(thing, f"digest {pushed[thing]}, as pushed") as pulled:
                if digest != pushed[thing]:
                    pulled.wrong(f"digest {digest}")
                if (printed := docker.run(thing).strip()) != image.message:
                    pulled.wrong(f'prints "{printed}"', expected=f'prints "{image.message}"')
            _forget(docker, [thing])
            if findings.offenders:
                break
    except AnswerError as error:
        done = f"{len(pushed)} pushes of {len(references)} had worked" if pushed else "none had worked before"
        findings.wrong(thing, f"the docker daemon can {step}", f"{error}; {done}")
    finally:
        for reference in references:
            docker.remove(reference)


def _forget(docker, references):
    """Remove images from the daemon, so that a pull has to fetch them."""
    for reference in references:
        docker.remove(reference)
        if docker.has(reference):
            raise DockerDaemonFailed(
                f"{reference} is still there after it was removed: a pull would prove nothing"
            )
