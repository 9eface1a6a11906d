"""Where a client program runs: a folder of its own, with all that it needs to be let in and whom to trust.

Passwords are in one file that only this user can read: what stands on a command line everybody on the machine can see.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harbor_verify.clients import proxies
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, ClientRefused
from harbor_verify.model import addresses
from harbor_verify.model.named_hosts import is_about_another

_AUTHORISATION = "config.json"
_NOT_THE_REGISTRY = (
    "server gave http response to https client",
    "x509",
    "no such host",
    "no route to host",
    "network is unreachable",
    # Of a version that does not know what it is asked for.
    "unknown flag",
    "unknown shorthand flag",
    "unknown command",
    "flag provided but not defined",
)
"""What programs say when they, not the registry, are in the way."""
_MOST_TOLD = 300


@dataclass(frozen=True)
class Place:
    """Where clients go: `host` is HOST[:PORT], as references carry it. `ca_file` in place of the system's."""

    host: str
    credentials: Credentials
    plain_http: bool = False
    insecure: bool = False
    ca_file: Path | None = None


class Workspace:
    """A folder for client programs that are to go to one place. `timeout_s` is for each command."""

    def __init__(self, folder: Path, place: Place, *, timeout_s: float) -> None:
        self.folder, self.place, self._timeout_s = folder, place, timeout_s
        _write_secret(folder / _AUTHORISATION, {"auths": {place.host: {"auth": place.credentials.login}}})
        policy = folder / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "DOCKER_CONFIG": str(folder),
            "REGISTRY_AUTH_FILE": str(folder / _AUTHORISATION),
            "HELM_REGISTRY_CONFIG": str(folder / _AUTHORISATION),
            "COSIGN_PASSWORD": "",
            # Read by everything that is written in Go.
            **({"SSL_CERT_FILE": str(place.ca_file)} if place.ca_file else {}),
            # An object store may be behind a proxy; the front door is asked without, as by the suite's own client.
            **{name: os.environ[name] for name in proxies.NAMES if name in os.environ},
            "NO_PROXY": ",".join(filter(None, [proxies.no_proxy(), addresses.split(place.host)[0]])),
        }

    def new_folder(self, name: str) -> Path:
        """The path of a folder that is not there yet."""
        number = sum(1 for entry in self.folder.iterdir() if entry.name.startswith(f"{name}-"))
        return self.folder / f"{name}-{number}"

    def try_alone(self, *argv: str | Path) -> str:
        """Run what asks no registry, and return what it wrote. Raises CannotTell where it fails."""
        done = self._run(argv)
        if done.returncode:
            raise CannotTell(f"{_words(argv)} ended with {done.returncode}: {_last(done)}")
        return done.stdout + done.stderr

    def ask(self, *argv: str | Path) -> str:
        """Run what asks the registry, and return what it wrote.

        Raises ClientRefused with its last words, and CannotTell where it, not the registry, is in the way.
        """
        done = self._run(argv)
        if not done.returncode:
            return done.stdout + done.stderr
        said = _last(done)
        message = f"{_words(argv)} ended with {done.returncode}: {said}"
        own = any(sign in said.lower() for sign in _NOT_THE_REGISTRY)
        if own and not is_about_another(said, self.place.host):
            raise CannotTell(message)
        raise ClientRefused(message)

    def _run(self, argv: tuple[str | Path, ...]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [str(word) for word in argv],
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotTell(f"{_words(argv)} did not end within {self._timeout_s:g} s") from None
        except OSError as failed:
            raise CannotTell(f"{_words(argv)}: {failed}") from failed


def _write_secret(file: Path, content: object) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(content, opened)


def _words(argv: tuple[str | Path, ...]) -> str:
    """`crane pull`: the program's name, and its first word that is no option."""
    name, *rest = (str(word) for word in argv)
    return " ".join([Path(name).name, *[word for word in rest if not word.startswith("-")][:1]])


def _last(done: subprocess.CompletedProcess[str]) -> str:
    text = " ".join((done.stderr.strip() or done.stdout.strip()).split())
    return text if len(text) <= _MOST_TOLD else f"…{text[-_MOST_TOLD:]}"
