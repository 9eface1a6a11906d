"""Whole pytest runs of checks of a few lines, with a target of a few lines in place of a cluster."""

import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

from harbor_verify import checks
from harbor_verify.plugin import run  # noqa: F401 - here, or each copy of this process imports it anew
from harbor_verify.reports import html_file  # noqa: F401 - the same

REPOSITORY = Path(__file__).resolve().parents[2]
# The conftest below imports modules of the plugin before pytest does, to put its fakes into them.
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider")
CONFTEST = """
import time
from types import SimpleNamespace

import pytest

from harbor_verify import cleanup, providers
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import HarnessError, TargetUnreachable
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.words import Words
from harbor_verify.plugin import run
from tests.unit.ledgers import MemoryLedger

pytest_plugins = ["harbor_verify.plugin"]

class Lease:
    def __init__(self, *_, on_lost): self.on_lost = on_lost
    def acquire(self, tell): pass
    def require_held(self): pass
    def release(self): print("lease given back")

class Ledger(MemoryLedger):
    def __init__(self, kubernetes, namespace, run_id, lease): super().__init__(run_id)

def reach(access, settings):
    if settings.namespace == "nowhere":
        raise TargetUnreachable("namespace nowhere: tried hard; try another")
    kubernetes = SimpleNamespace(may=lambda verb, resource, **_: resource != "pods/exec")
    access.may_disrupt = settings.allow_disruption
    def ask(what, call, *_, **__):
        if settings.namespace == "silent" and call != "namespace":
            raise TargetUnreachable(f"{what}: no answer")
        return SimpleNamespace(metadata=SimpleNamespace(labels={}, _continue=""), items=[])
    kubernetes.ask = ask
    kubernetes.core = SimpleNamespace(
        read_namespace="namespace", list_namespaced_pod="pods", list_namespaced_event="events", api_client=None)
    profile = SimpleNamespace(
        name="harbor-9", words=Words(web="uber"), parts={Role.WEB: None}, features={Feature.ROBOTS},
        present={Role.WEB, Feature.ROBOTS})
    deployment = SimpleNamespace(
        profile=profile, workloads={}, namespace=settings.namespace, kubernetes=kubernetes)
    return SimpleNamespace(
        access=access, settings=settings, url="http://h", kubernetes=kubernetes,
        namespace=settings.namespace, close=lambda: None,
        deployment=deployment, profile=profile, credentials=Credentials("admin", "of-the-admin"),
        front_door=SimpleNamespace(projects=lambda *_: {}, users=lambda *_: {}),
    )

run.providers = SimpleNamespace(provide=lambda settings: SimpleNamespace(
    provider="fake", machine_control=None, docker_host=None, kubernetes=None, namespace=settings.namespace, url="http://h"))
run.surroundings, run.clocks_ahead = lambda *_: {}, lambda *_: []
run.find_facts = lambda target, settings: SimpleNamespace(present={Role.WEB, Feature.ROBOTS})
run.Ledger = Ledger
run.entry.require = lambda target: None
run.words_of = lambda words, facts: words
run.reach, run.NamespaceLease, run.describe = reach, Lease, lambda target, facts: ["found: a fake"]

def remove(target, entry):
    if entry.name == "stuck":
        raise HarnessError("it does not go")
    if entry.name == "slow":
        open("slow", "w").close()
        time.sleep(60)
    if entry.name == "bug":
        raise KeyError("a bug")
    print("thing removed")
    return "removed"

cleanup.remove = remove

@pytest.fixture
def made(run_state):
    run_state.target.ledger.made("project", "thing")

@pytest.fixture
def stuck(run_state):
    for name in ("thing", "stuck", "bug", "thing"):
        run_state.target.ledger.made("project", name)
"""
HEAD = """
import time, pytest
from harbor_verify.checks import Severity, check
from harbor_verify.errors import CannotTell
from harbor_verify.model.roles import Feature, Role
from harbor_verify.verdict import Failure, Offender
"""


def environment():
    """That of a person at a terminal of 80 columns, who has set nothing."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HARBOR_VERIFY_", "PYTEST_"))}
    return {**kept, "COLUMNS": "80"}


class Suite:
    """A folder with checks, and pytest run in it as a person would."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "pytest.ini").write_text((REPOSITORY / "pytest.ini").read_text())
        (folder / "suites" / "unit").mkdir(parents=True)
        self.file = folder / "suites" / "unit" / "test_it.py"
        self.file.write_text(HEAD)

    def check(
        self,
        name,
        body,
        *,
        needs=(),
        requires="()",
        arguments="",
        claim="It holds.",
        hint="",
        severity="must",
    ):
        told = f'hint="mend {name}{hint}", source="x", needs={needs!r}, requires={requires}'
        told += f", severity=Severity({severity!r})"
        self.file.write_text(
            self.file.read_text()
            + f'\n@check("unit.{name}", {told})\n'
            + f'def test_{name.replace("-", "_")}({arguments}):\n    """{claim}"""\n'
            + textwrap.indent(textwrap.dedent(body).strip(), "    ")
            + "\n"
        )

    def start(self, *argv):
        """The number of a process that runs pytest, and the file with what a terminal of 80 columns shows.

        A copy of this process, so that nothing is imported again: that is all but a tenth of a second of it.
        """
        shown = self.folder / "shown.txt"
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = self._run_here(shown, argv)
            finally:
                os._exit(code)
        return child, shown

    def end(self, child, shown):
        """Waits for what `start` gave: the exit code, and what was shown."""
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), shown.read_text()

    def run(self, *argv):
        """The exit code, and what a terminal of 80 columns shows."""
        return self.end(*self.start(*argv))

    def _run_here(self, shown, argv):
        signal.alarm(60)
        # Whoever runs these tests in the background may have them ignore Ctrl-C, which is handed down.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        terminal = os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(terminal, 1)
        os.dup2(terminal, 2)
        # This process ends with them.
        sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = sys.__stderr__ = open(2, "w", closefd=False)  # noqa: SIM115
        given = environment()
        os.environ.clear()
        os.environ.update(given)
        os.chdir(self.folder)
        checks._checks.clear()
        code = int(pytest.main([*QUIET, *argv]))
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def wait_for(self, name):
        """Until a check has made this file."""
        deadline = time.monotonic() + 30
        while not (self.folder / name).exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def report(self):
        return json.loads((self.folder / "reports" / "latest" / "report.json").read_text())
