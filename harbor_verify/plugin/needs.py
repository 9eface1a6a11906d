"""What a check needs beyond its target. Without it, it is blocked and says why; --strict-skips makes that an error."""

import importlib.util
import os
import socket
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

import pytest

from harbor_verify.builds.bases import Bases, named_by
from harbor_verify.checks import NEEDS, check_of
from harbor_verify.clients.browser import find_browser
from harbor_verify.clients.docker import Docker
from harbor_verify.errors import (
    AnswerError,
    DockerDaemonFailed,
    HealFailed,
    NeedMissing,
    NotApplicable,
    RightMissing,
    WrongConfiguration,
)
from harbor_verify.model.addresses import split
from harbor_verify.plugin.run import KEY
from harbor_verify.programs import known
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

DISRUPTION_LABEL = "harbor-verify/allow-disruption"
"""On a namespace, with the value true: things in it may be broken on purpose."""


class Probed(Protocol):
    """What probes look at: a run, or what will be one."""

    target: Target
    settings: Settings


class NotOwed(str):
    """Why a need is not met that nobody has to meet: what is done only where it is asked for was not asked for, or no
    cluster of somebody's own can give it.
    """


_FIRST = frozenset(
    {
        "conformance",
        "disruption",
        "garbage-collection",
        "images-to-build-on",
        "machine-control",
        "node-changes",
    }
)
"""Where these are not owed, the check is not applicable, whatever else is missing."""

_REASONS = pytest.StashKey[dict[str, str]]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    check = check_of(item)
    for need in sorted(check.needs if check else (), key=lambda need: need not in _FIRST):
        require(item.config, need)


def require(config: pytest.Config, need: str) -> None:
    """Raises NeedMissing when `need` is not met, NotApplicable when nobody has to meet it."""
    unhealed = config.stash[KEY].unhealed
    if need == "disruption" and unhealed:
        raise HealFailed(f"nothing more is broken, because this could not be mended: {'; '.join(unhealed)}")
    if reason := reason_of(config, need):
        text = f"needs {NEEDS[need]}: {reason}"
        raise NotApplicable(text) if isinstance(reason, NotOwed) else NeedMissing(text)


def reason_of(config: pytest.Config, need: str, state: Probed | None = None) -> str:
    """Why a need is not met, empty when it is, NotOwed where nobody has to meet it; found out once.

    `state`: where there is no run yet.
    """
    reasons = config.stash.setdefault(_REASONS, {})
    if need not in reasons:
        try:
            reasons[need] = _PROBES[need](state or config.stash[KEY])
        except RightMissing as missing:
            reasons[need] = str(missing)
    return reasons[need]


@pytest.fixture
def need(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`need("exec")`: for checks that learn only on their way that they need something."""
    return lambda name: require(request.config, name)


@pytest.fixture
def blocked() -> Callable[[str], NoReturn]:
    """`blocked(reason)`: something is missing where the suite runs, and the check cannot be made without it."""

    def end(reason: str) -> NoReturn:
        raise NeedMissing(reason)

    return end


@pytest.fixture
def not_applicable() -> Callable[[str], NoReturn]:
    """`not_applicable(reason)`: this deployment has nothing that the check could be about."""

    def end(reason: str) -> NoReturn:
        raise NotApplicable(reason)

    return end


def _may(*asked: tuple[str, str], everywhere: bool = False, group: str = "") -> Callable[[Probed], str]:
    """A probe for verbs on resources of an API group: of the target's namespace, or of those that belong to none."""

    def probe(state: Probed) -> str:
        namespace = "" if everywhere else state.target.namespace
        may = state.target.kubernetes.may
        denied = [
            f"{verb} {resource}"
            for verb, resource in asked
            if not may(verb, resource, namespace=namespace, group=group)
        ]
        where = "" if everywhere else f" in namespace {namespace}"
        return f"this account may not {' or '.join(denied)}{where}" if denied else ""

    return probe


def _docker(state: Probed) -> str:
    try:
        Docker(state.target.access.docker_host, timeout_s=state.settings.connect_timeout_s).close()
    except DockerDaemonFailed as error:
        return str(error)
    return ""


def _clients(state: Probed) -> str:
    if known.find(state.settings.clients_dir):
        return ""
    return f"none of {', '.join(known.NAMES)} is there; install one or more of them (Debian has skopeo and buildah)"


def _conformance(state: Probed) -> str:
    program = state.settings.conformance_program
    if program is None:
        return NotOwed("it is not named, so it is not run")
    return "" if os.access(program, os.X_OK) else f"{program} is no program"


def _images_to_build_on(state: Probed) -> str:
    if state.target.access.bases or named_by(state.settings) != Bases():
        return ""
    return NotOwed("none is named, so nothing is built")


def _disruption(state: Probed) -> str:
    target = state.target
    if not target.access.may_disrupt:
        namespace = target.kubernetes.ask(
            f"read Namespace {target.namespace}", target.kubernetes.core.read_namespace, target.namespace
        )
        if (namespace.metadata.labels or {}).get(DISRUPTION_LABEL) != "true":
            label = f"the label {DISRUPTION_LABEL}=true on namespace {target.namespace}"
            return NotOwed(f"neither --allow-disruption nor {label}, so nothing is broken")
    return _may(("delete", "pods"), ("watch", "pods"))(state)


def _node_changes(state: Probed) -> str:
    if not (state.target.access.machine_control or state.settings.allow_node_drain):
        return NotOwed("without --allow-node-drain no node is touched")
    evict = _may(("create", "pods/eviction"))(state)
    return evict or _may(("patch", "nodes"), everywhere=True)(state)


def _workload_changes(state: Probed) -> str:
    """Of the kinds that Harbor's workloads here are of."""
    kinds = {workload.kind for workload in state.target.deployment.workloads.values()}
    core = _may(("patch", "replicationcontrollers")) if "ReplicationController" in kinds else None
    asked = [("patch", "deployments")] if "Deployment" in kinds else []
    asked += [("patch", "statefulsets")] if "StatefulSet" in kinds else []
    apps = _may(*asked, group="apps") if asked else None
    return "; ".join(denied for probe in (core, apps) if probe and (denied := probe(state)))


def _way_to(
    addresses: Callable[[Target], Iterable[str]], works: Callable[[Target], bool]
) -> Callable[[Probed], str]:
    """A probe for a TCP connection to one of these. Where Harbor itself has none either (`works`), that is for the
    check to say: it is not for want of a way from here.
    """

    def probe(state: Probed) -> str:
        refused = []
        try:
            for where in addresses(state.target):
                host, port = split(where)
                try:
                    socket.create_connection((host, int(port)), state.settings.connect_timeout_s).close()
                    return ""
                except OSError as error:
                    refused.append(f"{where}: {error}")
        except (WrongConfiguration, Failure):
            return ""
        try:
            harbor_has_one = bool(refused) and works(state.target)
        except AnswerError:
            harbor_has_one = False
        return f"{'; '.join(refused)}, though Harbor reaches it" if harbor_has_one else ""

    return probe


def _database_works(target: Target) -> bool:
    target.front_door.projects("verify-", None)
    return True


def _sessions_work(target: Target) -> bool:
    return target.front_door.whoami(target.front_door.sign_in(target.credentials)) is not None


def _browser(state: Probed) -> str:
    if importlib.util.find_spec("playwright") is None:
        return "Playwright, which drives it, is not installed (pip install 'harbor-verify[browser]')"
    return "" if find_browser(state.settings.browser) else "none is installed, or it is not where it was said"


# The client opens exec by GET; newer API servers want `create` for it as well.
_PROBES: dict[str, Callable[[Probed], str]] = {
    "browser": _browser,
    "database": _way_to(lambda target: [target.database_address()], _database_works),
    "disruption": _disruption,
    "disruption-budgets": _may(("list", "poddisruptionbudgets"), group="policy"),
    "clients": _clients,
    "conformance": _conformance,
    "docker": _docker,
    "exec": _may(("get", "pods/exec"), ("create", "pods/exec")),
    "garbage-collection": lambda state: (
        ""
        if state.target.access.machine_control or state.settings.allow_garbage_collection
        else NotOwed("without --allow-garbage-collection none is started")
    ),
    "images-to-build-on": _images_to_build_on,
    "machine-control": lambda state: (
        "" if state.target.access.machine_control else NotOwed("this Harbor is not in the lab")
    ),
    "node-changes": _node_changes,
    "nodes": _may(("list", "nodes"), everywhere=True),
    "pods": _may(
        *((verb, "pods") for verb in ("create", "get", "list", "delete")),
        *((verb, "secrets") for verb in ("create", "list", "delete")),
        ("get", "pods/log"),
    ),
    "session-store": _way_to(Target.session_store_addresses, _sessions_work),
    "workload-changes": _workload_changes,
    "volumes": _may(("get", "persistentvolumes"), everywhere=True),
}
