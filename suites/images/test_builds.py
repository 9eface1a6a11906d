"""Images built in the classic ways, from fat to multi-stage: each comes back as it was, and runs."""

from harbor_verify.builds import comparison
from harbor_verify.builds.ladder import NO_SUCH_FILE, PORT, SMALL_BYTES, WELCOME, Built, Ladder, Way
from harbor_verify.checks import check
from harbor_verify.clients import docker_build
from harbor_verify.clients.docker import Docker
from harbor_verify.errors import AnswerError, DockerDaemonFailed, NeedMissing
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.server_pods import Served
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_NEEDS = ("docker", "images-to-build-on", "pods", "nodes")
_SOURCE = "docker build, push, pull, run; OCI image specification; Kubernetes: pods"
_BUILDS_ON = (
    "registry.busybox-push-pull",
    "registry.pushed-on-one-pulled-on-every",
    "registry.kubelet-pulls-with-pull-secret",
    "images.layer-sizes",
    "configuration.registry-config-in-effect",
    "configuration.registry-trusts-token-key",
    "database.grants-sufficient",
    "access.docker-login",
)
_HINT = (
    "Refused at a push: the limits of what stands in front ({body_limit}), or a full storage. Other bytes, or none, "
    "from one replica only: see registry.pushed-on-one-pulled-on-every. From all: something between rewrites what "
    "passes. Not started as a pod only: the kubelet's words say why. "
)


@check(
    "images.distribution-image-comes-back",
    hint=_HINT
    + "A whole distribution is a few large layers: if only this one fails, look at time-outs ({buffering}).",
    source=_SOURCE,
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_an_image_on_a_whole_distribution_comes_back_and_runs(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker, settings: Settings, measured
):
    """A fat image, on a whole distribution, comes back byte for byte from every registry replica, and runs."""
    _comes_back_and_runs(harbor, findings, ladder, Way.DISTRIBUTION, served, docker, settings, measured)


@check(
    "images.builder-image-comes-back",
    hint=_HINT
    + "A builder is hundreds of MB: if only this one fails, look at time-outs ({buffering}) and at space.",
    source=_SOURCE,
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_the_builder_image_comes_back_and_runs(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker, settings: Settings, measured
):
    """The builder itself, hundreds of MB with a toolchain, comes back byte for byte from every registry replica."""
    _comes_back_and_runs(harbor, findings, ladder, Way.BUILDER, served, docker, settings, measured)


@check(
    "images.glibc-program-on-musl-fails-to-start",
    hint=_HINT + "It starts: what came back is another base than what was pushed.",
    source=_SOURCE + "; ld.so(8)",
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_a_dynamic_program_on_a_small_base_fails_as_it_did_before_the_push(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker
):
    """A program linked to glibc, on a base of musl, fails to start with "no such file or directory", also as a pod.

    As it did before it was pushed: an image that came back mended, or broken otherwise, is another image.
    """
    built = ladder.of(Way.GLIBC_ON_SMALL)
    if not _comes_back(harbor, findings, built, docker):
        return
    with findings.about(built.reference, f'fails to start with "{NO_SUCH_FILE}"') as image:
        ended = docker_build.run_to_end(docker, built.reference)
        if ended.exit_code == 0 or NO_SUCH_FILE not in ended.output:
            image.wrong(f'ends with exit code {ended.exit_code} and "{ended.output}"')
    docker.remove(built.reference)
    pod: Served = served[built.way]
    _require_set_up(findings, pod)
    with findings.about(pod.pod, f'fails to start with "{NO_SUCH_FILE}"') as start:
        if pod.answer or NO_SUCH_FILE not in pod.words:
            start.wrong(pod.in_words)


@check(
    "images.static-program-comes-back",
    hint=_HINT,
    source=_SOURCE,
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_a_static_program_on_a_small_base_comes_back_and_runs(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker, settings: Settings, measured
):
    """A static program on a small base comes back byte for byte, runs, and stays below 25 MB."""
    built = ladder.of(Way.STATIC_ON_SMALL)
    linked = ladder.linked.get(Way.STATIC_ON_SMALL, "").lower()
    if "not a" not in linked or "dynamic" not in linked:
        raise DockerDaemonFailed(f'the program that was built is not static; ldd says "{linked}"')
    _is_small(findings, built)
    _comes_back_and_runs(harbor, findings, ladder, built.way, served, docker, settings, measured)


@check(
    "images.musl-program-comes-back",
    hint=_HINT,
    source=_SOURCE,
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_a_program_built_against_musl_comes_back_and_runs(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker, settings: Settings, measured
):
    """A program built against musl, on a small base of musl, comes back byte for byte, and runs."""
    _comes_back_and_runs(harbor, findings, ladder, Way.MUSL_ON_SMALL, served, docker, settings, measured)


@check(
    "images.multi-stage-holds-nothing-of-its-builder",
    hint=_HINT
    + "Files or layers of the builder: another image was pushed under this name, or came back under it.",
    source=_SOURCE + "; Dockerfile: multi-stage builds",
    needs=_NEEDS,
    builds_on=_BUILDS_ON,
)
def test_a_multi_stage_image_comes_back_without_its_builder(
    harbor: Target, findings: Findings, ladder: Ladder, served, docker: Docker, settings: Settings, measured
):
    """A multi-stage image comes back with not one layer and not one file of its builder, runs, and is below 25 MB."""
    built = ladder.of(Way.MULTI_STAGE)
    _is_small(findings, built)

    def look_inside() -> None:
        with findings.about(built.reference, "holds the base and the program, and nothing else") as image:
            layers, _ = docker_build.layers_of(docker, built.reference)
            if of_builder := set(layers) & set(ladder.builder_layers):
                image.wrong(f"{len(of_builder)} layers are the builder's: {', '.join(sorted(of_builder))}")
            files = docker_build.files_of(docker, built.reference) - ladder.small_files - {"server"}
            if files:
                some = ", ".join(sorted(files)[:5])
                image.wrong(f"{len(files)} files more, such as {some}")

    _comes_back_and_runs(harbor, findings, ladder, built.way, served, docker, settings, measured, look_inside)


@check(
    "images.shared-base-uploaded-once",
    hint="Each push of a base that is there already costs its upload again: the registry, asked for the layer (HEAD), "
    "does not say that it has it. Every replica has to: {shared_images}.",
    source="OCI distribution specification: HEAD of a blob, mount",
    needs=("docker", "images-to-build-on"),
    builds_on=_BUILDS_ON,
)
def test_the_layers_of_a_shared_base_are_uploaded_once(harbor: Target, findings: Findings, ladder: Ladder):
    """Of images on the same base, the first push uploads the base's layers, and no later one uploads them again.

    Source: what the registry answered the docker daemon, which tells layer by layer what it uploaded.
    """
    small = [ladder.of(way) for way in (Way.GLIBC_ON_SMALL, Way.STATIC_ON_SMALL, Way.MULTI_STAGE)]
    shared = len(_common(small[0].layers, small[1].layers))
    for built in small[1:]:
        with findings.about(
            built.reference, f"the {shared} layers of its base are not uploaded again"
        ) as push:
            if built.pushed is None:
                push.wrong(f"not pushed: {built.refused}")
            elif len(built.pushed.uploaded) > len(built.layers) - shared:
                again = len(built.pushed.uploaded) - (len(built.layers) - shared)
                push.wrong(f"{again} of them were uploaded again")


@check(
    "images.as-many-listed-as-built",
    hint="Missing: {listing}. More than were pushed: something else writes into this run's project.",
    source="Harbor: repositories and tags of a project",
    needs=("docker", "images-to-build-on"),
    builds_on=_BUILDS_ON,
)
def test_as_many_images_are_listed_as_were_built(harbor: Target, findings: Findings, ladder: Ladder, project):
    """Each image that was pushed is in Harbor's list, with the digest of its push, and no other is."""
    for built in ladder.built.values():
        if built.pushed is None:
            continue  # that it could not be pushed is told by the check that is about it
        with findings.about(f"repository {built.repository}", "lists the one tag that was pushed") as listed:
            tags = harbor.front_door.tags(built.repository, harbor.credentials)
            digest = built.pushed.digest
            if set(tags) != {built.tag}:
                listed.wrong(f"lists {', '.join(sorted(tags)) or 'none'}")
            elif tags[built.tag] not in ("", digest):
                listed.wrong(f"its digest is {tags[built.tag]}", expected=f"digest {digest}, as pushed")


def _comes_back_and_runs(
    harbor: Target,
    findings: Findings,
    ladder: Ladder,
    way: Way,
    served: dict[str, Served],
    docker: Docker,
    settings: Settings,
    measured,
    look_inside=lambda: None,
) -> None:
    """`look_inside` is called while the image that was pulled is in the docker daemon."""
    built = ladder.of(way)
    measured["image_bytes"] = built.size_bytes
    if not _comes_back(harbor, findings, built, docker):
        return
    look_inside()
    with findings.about(built.reference, f'pulled back, it runs and answers "{WELCOME}"') as image:
        try:
            with docker_build.running(docker, built.reference) as container:
                answer = docker_build.answer_of(
                    docker, container, PORT, ladder.asker, timeout_s=settings.request_timeout_s
                )
        except docker_build.DoesNotRun as error:
            image.wrong(f"it ran before it was pushed, and does not now: {error}")
        except DockerDaemonFailed as error:
            image.unknown(str(error))
        else:
            if answer != WELCOME:
                image.wrong(f'answers "{answer}"')
    docker.remove(built.reference)
    pod = served[built.way]
    _require_set_up(findings, pod)
    with findings.about(pod.pod, f'runs and answers "{WELCOME}"') as start:
        if pod.answer != WELCOME:
            start.wrong(pod.in_words)


def _require_set_up(findings: Findings, pod: Served) -> None:
    """Raises NeedMissing where a node was never set up for this registry: that is not Harbor's failure."""
    if pod.to_set_up and not findings.offenders:
        raise NeedMissing(f"{pod.pod} could not be tried: {pod.in_words}; {pod.to_set_up}")


def _comes_back(harbor: Target, findings: Findings, built: Built, docker: Docker) -> bool:
    """Whether it could be pushed and pulled; what came is in the docker daemon then."""
    if built.pushed is None:
        with findings.about(built.reference, "the docker daemon can push it") as push:
            push.wrong(built.refused)
        return False
    digest = built.pushed.digest
    for replica in harbor.replicas(Role.REGISTRY):
        comparison.compare(findings, replica.object, harbor.registry(replica), built, digest)
    front = harbor.front_registry_for_all(harbor.front_door.http)
    total = comparison.compare(findings, f"front door {harbor.access.url}", front, built, digest)
    if Feature.QUOTAS in harbor.profile.features and not findings.offenders:
        with findings.about(
            f"artifact {built.repository}@{digest}", f"its size is {total} bytes"
        ) as artifact:
            shown = harbor.front_door.artifact_bytes(built.repository, digest, harbor.credentials)
            if shown != total:
                artifact.wrong(f"Harbor shows {shown}")
    try:
        pulled = docker.pull(built.reference, harbor.client)
    except AnswerError as error:
        findings.wrong(built.reference, "the docker daemon can pull it", str(error))
        return False
    with findings.about(built.reference, f"digest {digest}, and the history it was built with") as image:
        if pulled != digest:
            image.wrong(f"digest {pulled}")
        if (history := docker_build.history_of(docker, built.reference)) != built.history:
            image.wrong(f"its history is {'; '.join(history)}")
    return True


def _is_small(findings: Findings, built: Built) -> None:
    with findings.about(built.reference, f"below {SMALL_BYTES} bytes") as image:
        if built.size_bytes >= SMALL_BYTES:
            image.wrong(f"{built.size_bytes} bytes")


def _common(some: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """The layers that two images begin with alike."""
    return [one for one, other in zip(some, others, strict=False) if one == other]
