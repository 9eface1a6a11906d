"""The client programs that are known, with the words that each wants. Sources: their own manuals.

What comes is read as bytes where a program leaves it in a folder; buildah, podman and cosign keep it to themselves, and
compare digests on their own.
"""

import json
import re
import shutil
from abc import abstractmethod
from pathlib import Path

from harbor_verify.clients.artifact import OCI, image
from harbor_verify.clients.image import digest_of
from harbor_verify.errors import CannotTell, WrongContent
from harbor_verify.programs import layout
from harbor_verify.programs.client import EVERY_KIND, IMAGES_ONLY, Kind
from harbor_verify.programs.workspace import Workspace

_VERSION = re.compile(r"\bv?(\d+\.\d+(?:\.\d+)?)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ARTIFACT_TYPE = "application/vnd.harbor-verify.note"


class Program:
    """What they have in common: see harbor_verify/programs/client.py."""

    name: str
    pushes, pulls = Kind.IMAGE, EVERY_KIND
    version_word = "version"

    def __init__(self, path: Path, workspace: Workspace, *, run_id: str) -> None:
        self._path, self._workspace, self._run_id = path, workspace, run_id
        self.version = ""

    def prepare(self) -> None:
        found = _VERSION.search(self._workspace.try_alone(self._path, self.version_word))
        self.version = found[1] if found else "(unknown)"
        self._make()

    def _make(self) -> None:
        """Make what it pushes: an image in a layout, unless it is something else."""
        self.source = self._workspace.new_folder("layout")
        """What it pushes, where that is a layout; another may be put in its place."""
        layout.write(self.source, image(OCI, run_id=self._run_id))

    @abstractmethod
    def push(self, repository: str, tag: str) -> str: ...

    @abstractmethod
    def pull(self, repository: str, tag: str) -> str: ...

    def _reference(self, repository: str, tag: str) -> str:
        return f"{self._workspace.place.host}/{repository}:{tag}"

    def _ask(self, *words: str | Path) -> str:
        return self._workspace.ask(self._path, *words)

    def _if(self, plain_http: str = "", insecure: str = "") -> list[str]:
        """The option for a place without TLS, or with a certificate that is not to be verified."""
        place = self._workspace.place
        return list(filter(None, [plain_http if place.plain_http else insecure if place.insecure else ""]))


class Skopeo(Program):
    name, version_word = "skopeo", "--version"

    def push(self, repository: str, tag: str) -> str:
        source, target = f"oci:{self.source}:{layout.TAG}", f"docker://{self._reference(repository, tag)}"
        no_tls = "--dest-tls-verify=false"
        self._ask("copy", "--quiet", "--preserve-digests", *self._if(no_tls, no_tls), source, target)
        return layout.digest_in_layout(self.source)

    def pull(self, repository: str, tag: str) -> str:
        return layout.digest_in_dir(self.fetch(repository, tag))

    def fetch(self, repository: str, tag: str) -> Path:
        """Pull into a folder, without a look at what is in it."""
        folder, no_tls = self._workspace.new_folder("skopeo"), "--src-tls-verify=false"
        source = f"docker://{self._reference(repository, tag)}"
        self._ask("copy", "--quiet", "--preserve-digests", *self._if(no_tls, no_tls), source, f"dir:{folder}")
        return folder


class Crane(Program):
    name = "crane"

    def push(self, repository: str, tag: str) -> str:
        no_tls = self._if("--insecure", "--insecure")
        return _told(self._ask("push", *no_tls, self.source, self._reference(repository, tag)))

    def pull(self, repository: str, tag: str) -> str:
        return layout.digest_in_layout(self.fetch(repository, tag))

    def fetch(self, repository: str, tag: str) -> Path:
        """Pull into a folder, without a look at what is in it."""
        folder, no_tls = self._workspace.new_folder("crane"), self._if("--insecure", "--insecure")
        self._ask("pull", *no_tls, "--format=oci", self._reference(repository, tag), folder)
        return folder


class Oras(Program):
    name, pushes = "oras", Kind.ARTIFACT

    def _make(self) -> None:
        self._note = self._workspace.new_folder("note").with_suffix(".txt").name
        (self._workspace.folder / self._note).write_text(f"pushed by harbor-verify run {self._run_id}")

    def push(self, repository: str, tag: str) -> str:
        options = ["--no-tty", f"--artifact-type={_ARTIFACT_TYPE}", *self._if("--plain-http", "--insecure")]
        return _told(
            self._ask("push", *options, self._reference(repository, tag), f"{self._note}:text/plain")
        )

    def pull(self, repository: str, tag: str) -> str:
        folder = self._workspace.new_folder("oras")
        options = ["--no-tty", *self._if("--from-plain-http", "--from-insecure")]
        target = f"{folder}:{layout.TAG}"
        self._ask("cp", *options, self._reference(repository, tag), "--to-oci-layout", target)
        return layout.digest_in_layout(folder)


class Regctl(Program):
    name = "regctl"

    def _copy(self, source: str, target: str) -> None:
        tls = self._if("disabled", "insecure")
        host = [f"--host=reg={self._workspace.place.host},tls={word}" for word in tls]
        self._ask("image", *host, "copy", source, target)

    def push(self, repository: str, tag: str) -> str:
        self._copy(f"ocidir://{self.source}:{layout.TAG}", self._reference(repository, tag))
        return layout.digest_in_layout(self.source)

    def pull(self, repository: str, tag: str) -> str:
        folder = self._workspace.new_folder("regctl")
        self._copy(self._reference(repository, tag), f"ocidir://{folder}:{layout.TAG}")
        return layout.digest_in_layout(folder)


class Buildah(Program):
    """It unpacks layers, and packs them anew: what it pushes has a digest that only it knows."""

    name, version_word, pulls = "buildah", "--version", IMAGES_ONLY

    def _make(self) -> None:
        super()._make()
        self._store = self._new_store()
        # By a relative path: it makes the image's name of it, and a temporary folder's is none.
        source = f"oci:{self.source.name}:{layout.TAG}"
        told = self._workspace.try_alone(self._path, *self._store, "pull", "--quiet", source)
        self._image = told.split()[-1]

    def _new_store(self) -> list[str]:
        """Of a driver that needs neither mounts nor a file system of its own."""
        folder = self._workspace.new_folder(self.name)
        return [f"--root={folder}", f"--runroot={folder}-run", "--storage-driver=vfs"]

    def push(self, repository: str, tag: str) -> str:
        told, no_tls = self._workspace.new_folder("digest"), "--tls-verify=false"
        options = ["--quiet", f"--digestfile={told}", *self._if(no_tls, no_tls)]
        target = f"docker://{self._reference(repository, tag)}"
        self._ask(*self._store, "push", *options, self._image, target)
        return told.read_text().strip()

    def pull(self, repository: str, tag: str) -> str:
        # A store of its own: what is there already would not be fetched.
        reference, store, no_tls = self._reference(repository, tag), self._new_store(), "--tls-verify=false"
        self._ask(*store, "pull", "--quiet", *self._if(no_tls, no_tls), reference)
        return _told(self._workspace.try_alone(self._path, *store, *self._inspect(reference)))

    def _inspect(self, reference: str) -> list[str]:
        return ["inspect", "--type=image", "--format={{.FromImageDigest}}", reference]


class Podman(Buildah):
    name = "podman"

    def _inspect(self, reference: str) -> list[str]:
        return ["image", "inspect", "--format={{.Digest}}", reference]


class Helm(Program):
    """It makes name and tag of what it pushes from the chart's name and version."""

    name, pushes, pulls = "helm", Kind.CHART, frozenset({Kind.CHART})

    def _make(self) -> None:
        self._chart = self._workspace.new_folder("chart")

    def _packed(self, name: str, version: str) -> Path:
        self._chart.mkdir(exist_ok=True)
        about = f"{{apiVersion: v2, name: {name}, version: {version}, description: run {self._run_id}}}\n"
        (self._chart / "Chart.yaml").write_text(about)
        self._workspace.try_alone(
            self._path, "package", self._chart, f"--destination={self._workspace.folder}"
        )
        return self._workspace.folder / f"{name}-{version}.tgz"

    def push(self, repository: str, tag: str) -> str:
        project, _, name = repository.rpartition("/")
        self._pushed = self._packed(name, tag)
        target = f"oci://{self._workspace.place.host}/{project}"
        return _told(self._ask("push", *self._options(), self._pushed, target))

    def pull(self, repository: str, tag: str) -> str:
        folder = self._workspace.new_folder("helm")
        folder.mkdir()
        source = f"oci://{self._workspace.place.host}/{repository}"
        told = self._ask("pull", *self._options(), source, f"--version={tag}", f"--destination={folder}")
        came = [digest_of(file.read_bytes()) for file in folder.iterdir()]
        if came != [digest_of(self._pushed.read_bytes())]:
            raise WrongContent(f"the chart came as {', '.join(came) or 'nothing'}, not as it was pushed")
        return _told(told)

    def _options(self) -> list[str]:
        return self._if("--plain-http", "--insecure-skip-tls-verify")


class Cosign(Program):
    """Signs with a key of its own, by the tag that is made from a digest; nothing goes to a public log."""

    name, pushes, pulls = "cosign", Kind.SIGNATURE, frozenset({Kind.SIGNATURE})
    _FORM = ("--new-bundle-format=false",)

    def _make(self) -> None:
        self._key = self._workspace.new_folder("cosign")
        prefix = f"--output-key-prefix={self._key}"
        self._workspace.try_alone(self._path, "generate-key-pair", prefix)

    def push(self, repository: str, tag: str) -> str:
        quiet = ["--yes", "--tlog-upload=false", "--use-signing-config=false"]
        words = [f"--key={self._key}.key", *quiet, *self._FORM, *self._options()]
        self._ask("sign", *words, self._reference(repository, tag))
        return ""

    def pull(self, repository: str, tag: str) -> str:
        """Verify the signature that this tag is of; the digest of a signature that verifies is not told."""
        signed = f"{self._workspace.place.host}/{repository}@{tag.removesuffix('.sig').replace('-', ':')}"
        words = [f"--key={self._key}.pub", "--insecure-ignore-tlog", *self._FORM, *self._options()]
        told = self._ask("verify", *words, "--output=json", signed)
        try:
            [entry] = json.loads(told[told.index("[") : told.rindex("]") + 1])
            digest = entry["critical"]["image"]["docker-manifest-digest"]
        except (ValueError, KeyError, TypeError) as wrong:
            raise CannotTell(f"cosign verify says nothing that can be read: {told[:200]!r}") from wrong
        if not signed.endswith(f"@{digest}"):
            raise WrongContent(f"the signature is of {digest}, not of {signed}")
        return ""

    def _options(self) -> list[str]:
        return self._if("--allow-http-registry", "--allow-insecure-registry")


KNOWN: tuple[type[Program], ...] = (Skopeo, Crane, Oras, Regctl, Buildah, Podman, Helm, Cosign)
NAMES = tuple(each.name for each in KNOWN)


def find(folder: Path | None, path: str | None = None) -> dict[str, Path]:
    """Which of NAMES there are, and where: in `folder` first, then in `path` (None: $PATH)."""
    found = {}
    for name in NAMES:
        place = (shutil.which(name, path=str(folder)) if folder else None) or shutil.which(name, path=path)
        if place:
            found[name] = Path(place).absolute()
    return found


def _told(output: str) -> str:
    """The last digest in what a program wrote. Raises CannotTell where there is none."""
    if not (found := _DIGEST.findall(output)):
        raise CannotTell(f"no digest was told: {output.strip()[-200:]!r}")
    return found[-1]
