"""What each running replica of Harbor runs with: of the API, and as its containers see it.

Values of settings are here, secrets among them; what is told of them `harbor_verify/model/drift.py` decides.
"""

import functools
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kubernetes.client import V1Container, V1ContainerStatus, V1PodSpec

from harbor_verify import clock
from harbor_verify.clients.pod_channel import CommandInPodFailed
from harbor_verify.errors import CannotTell, ProgramMissing, RightMissing, TargetUnreachable
from harbor_verify.model import configuration, drift
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.drift import Look, Thing
from harbor_verify.model.environment import Data, environment_of
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.target import Target

_AT_ONCE = 8
_HASHES = ("pod-template-hash", "controller-revision-hash")
"""Labels of a pod that say which template of its controller it is of."""


@dataclass
class Running:
    """One replica that runs. `things` are what it runs with, by container and name; `declared`: what is declared now.

    `rewritten`: what was written anew since its container started, which reads it at its start; in words.
    `unseen`: why something of it could not be seen, by container; `without_shell`: those that nobody can look into.
    """

    replica: Replica
    things: dict[str, Thing] = field(default_factory=dict)
    declared: dict[str, Thing] = field(default_factory=dict)
    rewritten: list[str] = field(default_factory=list)
    unseen: dict[str, str] = field(default_factory=dict)
    without_shell: dict[str, ProgramMissing] = field(default_factory=dict)
    clock_s: tuple[float, float] | None = None
    """(seconds ahead of the clock here, how uncertain that is)."""

    def require_seen(self) -> None:
        """Raises ProgramMissing where nobody can look into the container that is Harbor's own."""
        if missing := self.without_shell.get(self.replica.container.name):
            raise missing


@dataclass
class Siblings:
    """Replicas of one template of a workload. `is_settled`: no rollout goes on, so that all are of this one."""

    workload: Workload
    is_settled: bool
    running: list[Running]


def siblings(harbor: Target) -> list[Siblings]:
    """All replicas that run, with what the API tells of them. Raises TargetUnreachable."""
    rollouts, found = harbor.deployment.rollouts(), []
    for role, workload in harbor.deployment.workloads.items():
        by_template: dict[str, list[Running]] = defaultdict(list)
        for each in harbor.deployment.replicas(role):
            labels = each.pod.metadata.labels or {}
            template = next((labels[name] for name in _HASHES if name in labels), "")
            if each.running:
                by_template[template].append(_of_api(each, rolls=role in rollouts))
        settled = role not in rollouts or rollouts[role].is_complete
        found += [Siblings(workload, settled, running) for running in by_template.values()]
    return found


def look_into(harbor: Target, found: list[Siblings]) -> None:
    """Add what the containers see. What cannot be seen is noted in `unseen`, or in `without_shell`."""
    config_map, secret = _reading(harbor.deployment)
    running = [(group, each) for group in found for each in group.running]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda pair: _look_into(harbor, pair[0], pair[1], config_map, secret), running))
    for group in found:
        _fill_in(group.running)


def environment(harbor: Target, replica: Replica) -> Mapping[str, str]:
    """The environment that the replica's container was made with. Raises ProgramMissing, CannotTell."""
    seen, _ = _look(harbor, replica, replica.container.name, [], [])
    return seen.environment


def text_of(harbor: Target, replica: Replica, path: str) -> str:
    """A file as the replica's container sees it. Raises ProgramMissing, CannotTell."""
    return _run(harbor, replica, ["cat", path], replica.container.name)


def output_of(harbor: Target, replica: Replica, argv: list[str]) -> str:
    """What a command prints in the replica's container. Raises ProgramMissing, CannotTell."""
    return _run(harbor, replica, argv, replica.container.name)


def is_there(harbor: Target, replica: Replica, path: str) -> bool:
    """Whether the replica's container sees anything at that path. Raises ProgramMissing, CannotTell."""
    script = 'test -e "$0" && echo there || echo absent'
    return _run(harbor, replica, ["sh", "-c", script, path], replica.container.name).strip() == "there"


def rewritten(harbor: Target, replica: Replica, path: str) -> str:
    """Why the process may have read another text at its start than lies at `path` now; empty: it has read this one.

    Only what the kubelet brings up to date in a running container can have changed. Raises ProgramMissing, CannotTell.
    """
    mount = configuration.covering_mount(path, replica.container)
    if mount is None or mount.sub_path or mount.sub_path_expr:
        return ""
    seen, _ = _look(harbor, replica, replica.container.name, [mount.mount_path], [])
    status = _status(replica, replica.container.name)
    return _rewritten(mount.mount_path, seen, status) if status else ""


def _of_api(replica: Replica, *, rolls: bool) -> Running:
    """`rolls`: its controller brings pods to a changed template, so it is of its template or a rollout goes on."""
    running = Running(replica)
    for template, container in _containers(replica):
        status = _status(replica, container.name)
        if status:
            _put(running.things, container, drift.image_of(status.image_id or ""))
        _put(running.things, container, _said_by(container))
        if not rolls:
            _put(running.declared, container, _said_by(template))
    return running


def _said_by(container: V1Container) -> dict[str, Thing]:
    name = (container.image or "").rpartition("/")[2]
    words = drift.digest(repr((container.command or [], container.args or [])))
    return {"image": Thing(name, name), "command and args": Thing(words)}


def _look_into(harbor: Target, group: Siblings, running: Running, config_map: Data, secret: Data) -> None:
    replica, by_itself = running.replica, group.workload.kind == "ReplicationController"
    for template, container in _containers(replica):
        pod, given_to = (
            (group.workload.template.spec, template) if by_itself else (replica.pod.spec, container)
        )
        files = configuration.given_files(pod, given_to, config_map, secret)
        folders = sorted({file.folder for file in files if file.updated})
        paths = sorted(file.path for file in files)
        try:
            seen, ahead = _look(harbor, replica, container.name, folders, paths)
        except ProgramMissing as missing:
            running.without_shell[container.name] = missing
            continue
        except CannotTell as why:
            running.unseen[container.name] = str(why)
            continue
        running.clock_s = ahead
        status = _status(replica, container.name)
        changed = {folder: text for folder in folders if (text := _rewritten(folder, seen, status))}
        running.rewritten += [f"container {container.name}: {text}" for text in changed.values()]
        of_pod = drift.of_the_pod(container) | drift.of_the_pod(given_to)
        asked = environment_of(given_to, config_map, secret)
        told = drift.variables(asked, of_pod, asked)
        has = drift.variables(seen.environment, of_pod, asked)
        _put(running.declared, container, told)
        _put(running.things, container, dict.fromkeys(told, drift.ABSENT) | has)
        for each in files:
            if each.path in seen.digests and not (each.updated and each.folder in changed):
                name = f"{each.path} of {each.object}"
                seen_file = drift.file(seen.digests[each.path], secret=each.is_secret)
                _put(running.things, container, {name: seen_file})
                if "\ufffd" not in each.text:  # what is no text does not come whole from the API's client
                    said = drift.file(drift.digest(each.text), secret=each.is_secret)
                    _put(running.declared, container, {name: said})
        unread = [each.path for each in files if each.path not in seen.digests]
        if unread:
            running.unseen[container.name] = f"could not read {', '.join(sorted(unread))}"


def _fill_in(running: list[Running]) -> None:
    """A variable that only some siblings have is absent in the others, where those were seen."""
    names = {name for each in running for name in each.things if ": variable " in name}
    for each in running:
        for name in names - each.things.keys():
            container = name.partition(":")[0].removeprefix("container ")
            if container not in each.without_shell and container not in each.unseen:
                each.things[name] = drift.ABSENT


def _look(
    harbor: Target, replica: Replica, container: str, folders: list[str], paths: list[str]
) -> tuple[Look, tuple[float, float]]:
    begun_s = clock.now().timestamp()
    printed = _run(harbor, replica, ["sh", "-c", drift.LOOK, "sh", *folders, "--", *paths], container)
    ended_s = clock.now().timestamp()
    try:
        seen = drift.look_of(printed)
    except ValueError as strange:
        raise CannotTell(f"container {container} does not say what it sees: {strange}") from strange
    # Its clock was read somewhere between, and says whole seconds.
    ahead = seen.clock_s + 0.5 - (begun_s + ended_s) / 2, (ended_s - begun_s) / 2 + 0.5
    return seen, ahead


def _run(harbor: Target, replica: Replica, argv: list[str], container: str) -> str:
    try:
        return harbor.run(replica, argv, container=container)
    except CommandInPodFailed as failed:
        raise CannotTell(str(failed)) from failed
    except TargetUnreachable as lost:
        if isinstance(lost, RightMissing):
            raise
        raise CannotTell(str(lost)) from lost


def _rewritten(folder: str, seen: Look, status: V1ContainerStatus | None) -> str:
    """In words, that files were written since the container started; empty: they were not."""
    started = status.state.running.started_at if status and status.state and status.state.running else None
    written = seen.written.get(folder)
    if started is None or written is None or written <= started:
        return ""
    return f"the files at {folder} were written at {written:%F %T}, after it had started at {started:%F %T} (UTC)"


def _containers(replica: Replica) -> list[tuple[V1Container, V1Container]]:
    """(of the template, of the pod) of each container that the workload asks for; others bring what they like."""
    own = {each.name: each for each in replica.pod.spec.containers}
    template: V1PodSpec = replica.workload.template.spec
    return [(each, own[each.name]) for each in template.containers if each.name in own]


def _status(replica: Replica, container: str) -> V1ContainerStatus | None:
    return next((s for s in replica.pod.status.container_statuses or () if s.name == container), None)


def _put(things: dict[str, Thing], container: V1Container, more: Mapping[str, Thing]) -> None:
    things.update({f"container {container.name}: {name}": thing for name, thing in more.items()})


def _reading(deployment: Deployment) -> tuple[Data, Data]:
    """ConfigMaps and Secrets, each read once, before threads ask for them."""
    secret = configuration.readable(deployment.secret)
    return functools.cache(deployment.config_map), functools.cache(secret)
