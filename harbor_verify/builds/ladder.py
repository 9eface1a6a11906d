"""The classic ways of building one small web server, each built, tried and pushed once.

From a whole distribution, by way of a builder image, down to one Dockerfile with two stages. Nothing is fetched: the
bases are what the docker daemon has or can pull, and builds have no network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib import resources

from harbor_verify.builds.bases import Bases
from harbor_verify.clients import docker_build
from harbor_verify.clients.docker import Docker, Pushed
from harbor_verify.clients.docker_build import BuildFailed
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import AnswerError, DockerDaemonFailed, NeedMissing

PORT = 1111
WELCOME = "Welcome to this website!"
NO_SUCH_FILE = "no such file or directory"
"""What the kernel says of a program whose loader is missing; the program itself is there."""
SMALL_BYTES = 25 * 1000 * 1000
_SOURCES = ("go.mod", "main.go")


class Way(StrEnum):
    """How an image is built; the value is its repository's name."""

    DISTRIBUTION = "on-a-distribution"
    BUILDER = "builder"
    GLIBC_ON_SMALL = "glibc-on-musl"
    STATIC_ON_SMALL = "static-on-small"
    MUSL_ON_SMALL = "musl-on-small"
    MULTI_STAGE = "multi-stage"


@dataclass(frozen=True)
class Built:
    """An image of the ladder after it was built, and what came of its push: `pushed`, or why it was refused.

    `layers` are diff ids, the base's first; `history` is what made each, the newest first.
    """

    way: Way
    reference: str
    layers: tuple[str, ...]
    history: tuple[str, ...]
    size_bytes: int
    """As docker shows it: all layers, not compressed."""
    pushed: Pushed | None = None
    refused: str = ""

    @property
    def repository(self) -> str:
        """PROJECT/NAME, without host and tag."""
        return self.reference.partition("/")[2].rpartition(":")[0]

    @property
    def tag(self) -> str:
        return self.reference.rpartition(":")[2]


@dataclass
class Ladder:
    """All that could be built; why something could not is in `unbuilt`."""

    asker: str
    """An image with busybox, to ask servers with."""
    built: dict[Way, Built] = field(default_factory=dict)
    unbuilt: dict[Way, str] = field(default_factory=dict)
    small_files: frozenset[str] = frozenset()
    builder_layers: tuple[str, ...] = ()
    linked: Mapping[Way, str] = field(default_factory=dict)
    """What ldd says of the program in the builder image."""

    def of(self, way: Way) -> Built:
        """Raises NeedMissing with the reason where it could not be built here."""
        if way not in self.built:
            raise NeedMissing(self.unbuilt[way])
        return self.built[way]


class Builder:
    """Builds, tries and pushes the ladder with one docker daemon."""

    def __init__(
        self,
        docker: Docker,
        bases: Bases,
        asker: str,
        *,
        prefix: str,
        run_id: str,
        remove_later: Callable[[str], None],
        build_timeout_s: float,
        answer_timeout_s: float,
    ) -> None:
        """`prefix` is HOST/PROJECT; `asker` an image with busybox.

        `remove_later` is told the name of each image before it is made.
        """
        self._docker, self._bases, self._asker = docker, bases, asker
        self._prefix, self._run_id, self._remove_later = prefix, run_id, remove_later
        self._build_timeout_s, self._answer_timeout_s = build_timeout_s, answer_timeout_s
        self._programs: dict[str, bytes] = {}
        self._bases_to_forget: list[str] = []
        self._made_references: list[str] = []
        folder = resources.files(__package__) / "sources"
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}

    def climb(self, credentials: Credentials) -> Ladder:
        """Build all, try all, push all, and then forget all that is local, so that a pull has to fetch it.

        Raises DockerDaemonFailed where the daemon itself cannot do its part.
        """
        ladder = Ladder(self._asker)
        for way in Way:
            try:
                ladder.built[way] = self._build(way)
            except (NeedMissing, BuildFailed) as missing:
                ladder.unbuilt[way] = str(missing)
        self._look_into(ladder)
        for way, built in list(ladder.built.items()):
            try:
                self._try(built)
            except NeedMissing as unfit:
                ladder.unbuilt[way] = str(unfit)
                del ladder.built[way]
            else:
                ladder.built[way] = self._push(built, credentials)
        for reference in self._made_references:
            self._docker.remove(reference)
        docker_build.remove_intermediate(self._docker, self._run_id)
        for reference in self._bases_to_forget:  # last: what is built on one keeps its layers
            self._docker.remove(reference)
        return ladder

    def _build(self, way: Way) -> Built:
        small = {Way.GLIBC_ON_SMALL: "glibc", Way.STATIC_ON_SMALL: "static", Way.MUSL_ON_SMALL: "musl"}
        if way is Way.DISTRIBUTION:
            return self._on(way, "distribution", "glibc")
        if way in small:
            return self._on(way, "small", small[way])
        if way is Way.BUILDER:
            return self._made(way, "builder.Dockerfile", self._known("builder"), _SOURCES)
        return self._made(way, "multi-stage.Dockerfile", self._known("builder", "small"), _SOURCES)

    def _on(self, way: Way, base: str, linking: str) -> Built:
        known = self._known(base)
        files = {"server": self._program(linking)}
        return self._made(way, "runtime.Dockerfile", {"BASE": known[base.upper()]}, (), files)

    def _known(self, *names: str) -> dict[str, str]:
        """Bases as build arguments. Raises NeedMissing."""
        known = self._bases.require(*names)
        for reference in known.values():
            try:
                if self._docker.have(reference) or self._bases.are_disposable:
                    self._bases_to_forget.append(reference)
            except DockerDaemonFailed as error:
                raise NeedMissing(f"no image to build with: {error}") from error
        arguments = {name.upper(): reference for name, reference in known.items()}
        if "SMALL" in arguments:
            arguments["BASE"] = arguments["SMALL"]
        return arguments

    def _program(self, linking: str) -> bytes:
        """The server, linked in one of three ways, copied out of a builder image."""
        if linking not in self._programs:
            reference = f"{self._prefix}/{Way.BUILDER}:{linking}-{self._run_id}"
            arguments = {**self._known("builder"), "LINKING": linking}
            self._docker_build("builder.Dockerfile", reference, arguments, _SOURCES)
            self._programs[linking] = docker_build.copy_from(self._docker, reference, "/out/server")
        return self._programs[linking]

    def _made(
        self,
        way: Way,
        dockerfile: str,
        arguments: Mapping[str, str],
        sources: tuple[str, ...],
        files: Mapping[str, bytes] | None = None,
    ) -> Built:
        reference = f"{self._prefix}/{way}:{self._run_id}"
        self._docker_build(dockerfile, reference, arguments, sources, files)
        layers, size_bytes = docker_build.layers_of(self._docker, reference)
        return Built(way, reference, layers, docker_build.history_of(self._docker, reference), size_bytes)

    def _docker_build(
        self,
        dockerfile: str,
        reference: str,
        arguments: Mapping[str, str],
        sources: tuple[str, ...],
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._remove_later(reference)
        self._made_references.append(reference)
        docker_build.build(
            self._docker,
            {name: self._files[name] for name in (dockerfile, *sources)} | dict(files or {}),
            dockerfile,
            reference,
            {**arguments, "RUN_ID": self._run_id},
            timeout_s=self._build_timeout_s,
        )

    def _look_into(self, ladder: Ladder) -> None:
        """What is known of builder and small base while they are here."""
        if Way.BUILDER in ladder.built:
            ladder.builder_layers = ladder.built[Way.BUILDER].layers
            linked = {}
            for way, linking in ((Way.STATIC_ON_SMALL, "static"), (Way.GLIBC_ON_SMALL, "glibc")):
                if way in ladder.built:
                    name = f"{self._prefix}/{Way.BUILDER}:{linking}-{self._run_id}"
                    linked[way] = docker_build.run_to_end(self._docker, name, ["ldd", "/out/server"]).output
            ladder.linked = linked
        if self._bases.small and Way.MULTI_STAGE in ladder.built:
            ladder.small_files = frozenset(docker_build.files_of(self._docker, self._bases.small))

    def _try(self, built: Built) -> None:
        """Before it is pushed: what does not do here what it should says nothing about Harbor.

        Raises NeedMissing, DockerDaemonFailed.
        """
        if built.way is Way.GLIBC_ON_SMALL:
            ended = docker_build.run_to_end(self._docker, built.reference)
            if NO_SUCH_FILE not in ended.output:
                raise NeedMissing(
                    f"{self._bases.small} is no base without glibc: the program does not miss its loader, "
                    f'but ends with {ended.exit_code} and "{ended.output}"'
                )
            return
        with docker_build.running(self._docker, built.reference) as container:
            answer = docker_build.answer_of(
                self._docker, container, PORT, self._asker, timeout_s=self._answer_timeout_s
            )
        if answer != WELCOME:
            raise DockerDaemonFailed(f'{built.reference} answers "{answer}" even before it is pushed')

    def _push(self, built: Built, credentials: Credentials) -> Built:
        try:
            return replace(built, pushed=self._docker.push_layers(built.reference, credentials))
        except AnswerError as error:
            return replace(built, refused=str(error))
