"""A whole run of the suite as a person starts it: pytest on suites/, a kubeconfig, an API server, a Harbor behind it.

The API server holds the reference deployment; what leads to a replica leads to the front door of a few lines that
somebody gives. Nothing of the suite is replaced.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from harbor_verify import checks
from harbor_verify.plugin import run as _run  # noqa: F401 - here, or each copy of this process imports it anew
from harbor_verify.reports import html_file as _html  # noqa: F401 - the same
from tests.unit import port_forwards
from tests.unit.api_servers import ApiHandler
from tests.unit.fake_objects import Objects
from tests.unit.plugin_runs import QUIET, REPOSITORY, environment
from tests.unit.small_cluster import NAMESPACE, small_cluster

_OWN = ("leases", "harbor-verify")
"""In paths of what a run makes."""
QUICK = (
    *("--connect-timeout-s=1", "--request-timeout-s=2", "--converge-timeout-s=1", "--confirmation-s=0.2"),
    *("--recovery-budget-s=1", "--patience-s=1"),
)


def reference() -> str:
    """The objects of deploy/harbor-2, as small_cluster takes them."""
    files = sorted((REPOSITORY / "deploy" / "harbor-2").glob("*.yaml"))
    text = "\n---\n".join(
        file.read_text() for file in files if file.stem not in ("kustomization", "namespace")
    )
    kept = [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]
    return yaml.dump_all(kept, Dumper=yaml.CSafeDumper)


@dataclass
class Place:
    """Where runs happen: a folder, and a cluster whose pods all are `harbor` (host, port)."""

    folder: Path
    server: str
    harbor: tuple[str, int]
    objects: Objects
    log: str = ""
    """What every container has written."""
    complaint: str = ""
    """What every command in a container ends with; empty: it prints nothing, and ends well."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What is done in place of an answer, by the part of a path: called with the handler."""

    def start(self, *argv: str, **variables: str) -> tuple[int, Path]:
        """The number of a process that runs the suite, and the file with what its terminal shows."""
        kubeconfig = self.folder / "kubeconfig"
        kubeconfig.write_text(kubeconfig_of(self.server))
        shown = self.folder / "shown.txt"
        url = f"http://{self.harbor[0]}:{self.harbor[1]}"
        words = [
            f"--kubeconfig={kubeconfig}",
            f"--harbor-url={url}",
            f"--report-dir={self.folder}/reports",
            *argv,
        ]
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = _run_here(self.folder, shown, words, variables)
            finally:
                os._exit(code)
        return child, shown

    def run(self, *argv: str, **variables: str) -> tuple[int, str]:
        """Exit code, and what the terminal shows."""
        child, shown = self.start(*argv, **variables)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), shown.read_text()

    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "reports" / "latest" / "report.json").read_text())

    def verdicts(self) -> dict[str, str]:
        return {each["id"]: each["verdict"] for each in self.report()["checks"]}


def kubeconfig_of(server: str, user: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": server}}],
            "users": [{"name": "it", "user": user or {"token": "a-token-of-the-cluster"}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": NAMESPACE}}],
        }
    )


@contextmanager
def place_of(folder: Path, harbor: tuple[str, int], text: str) -> Iterator[Place]:
    """The objects of a text of YAML, and pods that all are `harbor`."""
    place = Place(folder, "", harbor, Objects())

    def besides(base: type[ApiHandler]) -> type[ApiHandler]:
        class Handler(base):  # type: ignore[misc, valid-type]
            def _others(self) -> bool:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                for part, act in place.answers.items():
                    if part in self.path:
                        act(self)
                        return True
                if path.endswith("/portforward"):
                    port_forwards.forward(self, int(query["ports"][0]), place.harbor)
                elif path.endswith("/exec"):
                    port_forwards.run(self, "", place.complaint)
                elif path.endswith("/log"):
                    self._text(place.log)
                elif any(part in path for part in _OWN) or self.command in ("PUT", "PATCH", "DELETE"):
                    status, body = place.objects.answer(
                        self.command, path, json.loads(self.received() or b"null")
                    )
                    self.answer(status, body)
                else:
                    return False
                return True

            def _text(self, text: str) -> None:
                data = text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                if not self._others():
                    super().do_GET()

            def do_POST(self) -> None:
                path = urlsplit(self.path).path
                if path.endswith(("/configmaps", "/secrets", "/pods", "/leases")):
                    status, body = place.objects.answer("POST", path, json.loads(self.received()))
                    self.answer(status, body)
                elif not self._others():
                    super().do_POST()

            do_PUT = do_PATCH = do_DELETE = do_GET

        return Handler

    with small_cluster(text, besides=besides) as kubernetes:
        place.server = kubernetes.server
        yield place


def _run_here(folder: Path, shown: Path, words: list[str], variables: dict[str, str]) -> int:
    signal.alarm(120)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    terminal = os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(terminal, 1)
    os.dup2(terminal, 2)
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115 - this process ends with them
    sys.stderr = sys.__stderr__ = open(2, "w", closefd=False)  # noqa: SIM115
    given = environment() | {"HARBOR_VERIFY_ADMIN_PASSWORD": "of-the-admin"} | variables
    os.environ.clear()
    os.environ.update(given)
    os.chdir(folder)
    checks._checks.clear()
    for name in [
        name for name in sys.modules if name == "suites" or name.startswith(("suites.", "conftest"))
    ]:
        del sys.modules[name]
    config = ("-c", str(REPOSITORY / "pytest.ini"), f"--rootdir={REPOSITORY}", str(REPOSITORY / "suites"))
    code = int(pytest.main([*QUIET, *config, *QUICK, *words]))
    sys.stdout.flush()
    sys.stderr.flush()
    return code
