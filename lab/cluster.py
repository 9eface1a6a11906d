"""The whole lab: up, down, what is there now, and where the suite finds it."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import (
    cgroups,
    control_plane,
    database,
    defects,
    deployment,
    dns,
    docker_daemon,
    fitness,
    images,
    load_balancer,
    machines,
    nodes,
    packages,
    session_store,
    settings,
    storage,
    toolchain,
    topology,
)
from lab.actions import Action, perform
from lab.errors import Busy, LabError


@dataclass(frozen=True)
class Target:
    """Where the suite finds the lab's Harbor."""

    kubeconfig: Path
    namespace: str
    harbor_url: str
    docker_host: str
    admin_password: str


class Deployed:
    """Harbor in the lab, as `lab.defects` needs it."""

    deployment_folder = settings.STATE / "harbor"

    @staticmethod
    def kubectl(*argv: str, input: str | None = None) -> str:
        return control_plane.kubectl(*argv, input=input)

    @staticmethod
    def sql(statements: str) -> None:
        for node in settings.GALERA:
            database.sql(node, statements)

    @property
    def deployment_settings(self) -> deployment.DeploymentSettings:
        return deployment.DeploymentSettings(
            ceph_key=storage.admin_key(),
            mysql_password=database.PASSWORD,
            redis_password=session_store.PASSWORD,
            images=images.build().name,
        )


HARBOR = Deployed()


def target() -> Target:
    """Where the lab's Harbor is; raises LabError when no lab is up."""
    if not settings.KUBECONFIG.exists():
        raise LabError("no lab is up on this machine; `make up` (python -m lab up) stands one up")
    return Target(
        kubeconfig=settings.KUBECONFIG,
        namespace=settings.NAMESPACE,
        harbor_url=settings.HARBOR_URL,
        docker_host=f"unix://{settings.DOCKER_SOCKET}",
        admin_password=settings.ADMIN_PASSWORD,
    )


def up() -> Target:
    """Stand the lab up, or mend what is there, and return where its Harbor is.

    Raises UnfitMachine when this machine cannot carry it, Busy when another command is changing it, LabError
    naming the step that failed; calling it again goes on from there.
    """
    fitness.require()
    with only_one():
        perform(_actions())
    return target()


def prepare() -> None:
    """Install and compile what the lab needs, and start nothing."""
    fitness.require()
    with only_one():
        perform([action for action in _actions() if action.name in _PREPARATION])


def down() -> None:
    """End whatever the lab started and remove whatever it wrote, except the cache.

    Works on any remainder of a lab, whatever was killed before.
    """
    with only_one():
        cgroups.kill()
        machines.unplug_host()
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        inside = [place for place in mounted if Path(place).is_relative_to(settings.STATE)]
        if inside:  # removing the folder would remove what is mounted there
            raise LabError(f"still mounted below {settings.STATE}: {', '.join(inside)}")
        if settings.STATE.exists():
            shutil.rmtree(settings.STATE)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the right to change the lab; raises Busy when another process has it."""
    settings.CACHE.mkdir(parents=True, exist_ok=True)
    folder = os.open(settings.CACHE, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise Busy("another `python -m lab` is changing the lab; wait until it has ended") from taken
    else:
        yield
    finally:
        os.close(folder)


_PREPARATION = ("Debian packages", "compile Kubernetes", "compile CoreDNS", "container images")


def _actions() -> list[Action]:
    return [
        Action("Debian packages", _install_packages),
        Action("compile Kubernetes", _compile_kubernetes),
        Action("compile CoreDNS", _compile_dns),
        Action("container images", images.build, ("Debian packages", "compile CoreDNS")),
        Action("machines and network", _join_machines, ("Debian packages",)),
        Action("Ceph", storage.ensure, ("machines and network",)),
        Action("Galera", database.ensure, ("machines and network",)),
        Action("Redis and Sentinel", session_store.ensure, ("machines and network",)),
        Action("HAProxy", load_balancer.ensure, ("Galera", "Redis and Sentinel")),
        Action("docker daemon", docker_daemon.ensure, ("machines and network",)),
        Action(
            "Kubernetes control plane", control_plane.ensure, ("machines and network", "compile Kubernetes")
        ),
        *(
            Action(
                node.name,
                lambda node=node: _join_node(node),
                ("Kubernetes control plane", "container images"),
            )
            for node in nodes.ALL.values()
        ),
        Action("cluster DNS", _start_dns, tuple(nodes.ALL)),
        Action("Harbor", _deploy_harbor, ("cluster DNS", "Ceph", "HAProxy")),
    ]


def _install_packages() -> None:
    if missing := packages.missing():
        packages.install(missing)


def _compile_kubernetes() -> None:
    if not toolchain.kubernetes_built():
        toolchain.build_kubernetes()


def _compile_dns() -> None:
    if not toolchain.dns_built():
        toolchain.build_dns()


def _join_machines() -> None:
    settings.STATE.mkdir(parents=True, exist_ok=True)
    for machine in topology.ALL:
        machine.ensure()
    for machine in topology.ALL:
        machine.plug_in(topology.CONTROL)
    machines.plug_in_host(topology.CONTROL)


def _join_node(node: nodes.Node) -> None:
    node.ensure_runtime()
    images.load(node, images.build())
    node.ensure_joined()


def _start_dns() -> None:
    dns.ensure()
    dns.wait_ready()


def _deploy_harbor() -> None:
    _end_pods_with_dead_volumes()
    # A defect that is planted stays: a run of the suite, which starts with `up`, is to find it.
    present = defects.planted(HARBOR.deployment_folder)
    if present:
        defects.plant(HARBOR, present)
    else:
        deployment.deploy(HARBOR.kubectl, HARBOR.deployment_folder, HARBOR.deployment_settings)


def _end_pods_with_dead_volumes() -> None:
    dead = {uid for node in nodes.ALL.values() for uid in node.pods_with_dead_volumes()}
    pods = json.loads(control_plane.kubectl("get", "pods", "--all-namespaces", "--output=json"))["items"]
    for pod in (pod["metadata"] for pod in pods if pod["metadata"]["uid"] in dead):
        control_plane.kubectl(
            "delete",
            "pod",
            pod["name"],
            f"--namespace={pod['namespace']}",
            "--grace-period=1",
            "--wait=false",
        )
