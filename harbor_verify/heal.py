"""Undoing what stands in the ledger: at the end of a run, by the next one, and by `harbor-verify heal`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harbor_verify import cleanup, known_secrets, providers
from harbor_verify.clients.kubernetes import Kubernetes, connect
from harbor_verify.disruptions import changes
from harbor_verify.errors import CannotTell, HarnessError, TargetUnreachable
from harbor_verify.lease import NamespaceLease
from harbor_verify.ledger import BROKEN, NAME, Entry, Ledger
from harbor_verify.redaction import Redaction
from harbor_verify.settings import FILE, FILE_SETTING, PREFIX, SECRETS, Settings, flag, load
from harbor_verify.target import Target, reach
from harbor_verify.waiting import wait_until

DESCRIPTION = """\
Undoes what runs left that were killed: workloads that were scaled or restarted,
nodes that were cordoned, pods, Secrets, projects, users, robots and local
images that they made.

It does what stands in the namespace's ledger (kubectl get configmap
harbor-verify-ledger), and nothing else; whatever somebody has changed since is
left as it is. A second time there is nothing to do. It waits for up to 45 s to
see whether a run that holds the namespace's Lease is alive.
"""
EPILOG = """\
exit codes:
  0  all is undone, or there was nothing to undo
  1  something could not be undone: it still stands in the ledger
  2  interrupted
  4  the cluster cannot be reached, a run is alive, or the settings are wrong
"""
_FLAGS = (
    *("lab", "kubeconfig", "context", "namespace", "profile", "release", "harbor_url", "admin_user"),
    *(
        "admin_password",
        "credentials_secret",
        "ca_file",
        "insecure",
        "docker_host",
        "connect_timeout_s",
        "request_timeout_s",
    ),
)


@dataclass
class Healed:
    """What was done, and what could not be, a line each."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def heal(
    ledger: Ledger,
    kubernetes: Kubernetes,
    namespace: str,
    harbor: Callable[[], Target],
    *,
    docker_host: str | None,
    tell: Callable[[str], None] = lambda text: None,
) -> Healed:
    """Undo all that stands in the ledger, whatever fails: first what is broken, and in each kind the newest first.

    `harbor` gives the Harbor in the namespace; it is called once, and only where something is to be removed from it.
    `tell` is given a line before each thing: what a project holds can take minutes.
    Only whoever holds the namespace's Lease may do this. Raises TargetUnreachable (the ledger cannot be read).
    """
    healed = Healed()
    reached = _Once(harbor)
    entries = sorted(ledger.read(), key=_rank)
    for number, entry in enumerate(entries, 1):
        tell(f"{number} of {len(entries)}: {entry.kind} {entry.name}")
        try:
            line = _undo(entry, kubernetes, namespace, reached, docker_host)
            ledger.drop(entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest is undone, and it is told
            healed.failed.append(f"{entry.kind} {entry.name}: {_told(error)}")
        else:
            healed.done += [f"{line} (run {entry.run})"] if line else []
    healed.failed += [f"line {key} of the ledger cannot be read: remove it" for key in ledger.unreadable]
    if not healed.failed:
        try:
            ledger.close()
        except HarnessError as error:
            healed.failed.append(f"ConfigMap {NAME}: {_told(error)}")
    return healed


def main(words: Sequence[str]) -> int:
    """The command `harbor-verify heal`; returns the exit code."""
    given = vars(_parser().parse_args(words))
    take_over = given.pop("take_over")
    redaction = Redaction()
    try:
        settings = load({k: v for k, v in given.items() if v is not None}, os.environ, Path.cwd())
        if settings.admin_password is not None:
            redaction.learn(settings.admin_password.get_secret_value())
        healed = _heal_namespace(settings, redaction, take_over=take_over)
    except HarnessError as error:
        sys.stderr.write(f"harbor-verify heal: {redaction.text(str(error))}\n")
        return 4
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what is left to undo stands in the ledger\n")
        return 2
    for line in healed.done:
        _say(redaction.text(line))
    for line in healed.failed:
        _say(redaction.text(f"NOT undone: {line}"))
    if not healed.done and not healed.failed:
        _say(f"nothing to undo in namespace {settings.namespace}")
    return 1 if healed.failed else 0


def _heal_namespace(settings: Settings, redaction: Redaction, *, take_over: bool) -> Healed:
    if settings.lab:
        access = providers.provide(settings)
        kubernetes, namespace, docker_host = access.kubernetes, access.namespace, access.docker_host
    else:
        kubernetes = connect(settings.kubeconfig, settings.context, timeouts_s=settings.timeouts_s)
        namespace, docker_host = settings.namespace, settings.docker_host
    targets: list[Target] = []

    def harbor() -> Target:
        # What was just mended may take a moment to answer.
        target = wait_until(
            f"the Harbor in namespace {namespace} answers",
            lambda: reach(access if settings.lab else providers.provide(settings), settings),
            deadline="request_timeout_s",
            timeout_s=settings.request_timeout_s,
            interval_s=1,
            retry_on=(TargetUnreachable,),
        )
        targets.append(target)
        redaction.learn(*known_secrets.of_credentials(target.credentials))
        return target

    holder = f"harbor-verify heal, process {os.getpid()} on {os.uname().nodename}"
    lease = NamespaceLease(kubernetes, namespace, holder)
    lease.acquire(seize=take_over, tell=_say)
    try:
        ledger = Ledger(kubernetes, namespace, "heal", lease)
        return heal(ledger, kubernetes, namespace, harbor, docker_host=docker_host)
    finally:
        lease.release()
        for target in targets:
            target.close()
        kubernetes.close()


class _Once:
    """A Harbor that is reached when it is first asked for; why it could not be is told again each time."""

    def __init__(self, harbor: Callable[[], Target]) -> None:
        self._harbor = harbor
        self._target: Target | None = None
        self._error: HarnessError | None = None

    def __call__(self) -> Target:
        if self._error:
            raise self._error
        if self._target is None:
            try:
                self._target = self._harbor()
            except HarnessError as error:
                self._error = error
                raise
        return self._target


def _undo(
    entry: Entry,
    kubernetes: Kubernetes,
    namespace: str,
    harbor: Callable[[], Target],
    docker_host: str | None,
) -> str:
    if entry.act == BROKEN:
        return changes.mend(kubernetes, namespace, entry)
    if entry.kind in cleanup.IN_KUBERNETES:
        return cleanup.remove_object(kubernetes, namespace, entry)
    if entry.kind in cleanup.IN_HARBOR:
        return cleanup.remove(harbor(), entry)
    if entry.kind == cleanup.LOCAL_IMAGE:
        return cleanup.remove_local_image(docker_host, entry)
    raise CannotTell("this version knows no such kind of thing")


def _rank(entry: Entry) -> int:
    if entry.act == BROKEN:
        return 0
    return 1 if entry.kind in cleanup.IN_KUBERNETES else 2 if entry.kind in cleanup.IN_HARBOR else 3


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, HarnessError) else f"{type(error).__name__}: {text}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harbor-verify heal",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="do not wait, and do it even while a run holds the Lease: that run then stops",
    )
    for name in _FLAGS:
        described = Settings.model_fields[name]
        help = (
            f"{described.description} ({PREFIX}{name.upper()})" if name not in SECRETS else argparse.SUPPRESS
        )
        if described.annotation is bool:
            parser.add_argument(flag(name), dest=name, action="store_true", default=None, help=help)
        else:
            parser.add_argument(flag(name), dest=name, metavar="…", help=help)
    parser.add_argument(
        flag(FILE_SETTING), dest=FILE_SETTING, metavar="…", help=f"settings file (default: {FILE})"
    )
    return parser
