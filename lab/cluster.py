"""The whole lab: up, down, what is there now, and where the suite finds it."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab import defects, fitness, layouts, machine_control, profiles, settings
from lab.actions import Action, perform
from lab.deployment import images as harbor_images
from lab.deployment import jobs_database, registry_cache, rollout
from lab.errors import Busy, LabError, NotReady
from lab.given import programs
from lab.kubernetes import control_plane, dns, nodes
from lab.machines import cgroups, docker_daemon, machine, topology
from lab.profiles import Profile
from lab.programs import packages, toolchain
from lab.stores import ceph, galera, load_balancer, postgresql, redis_sentinel
from lab.waiting import wait_until

_LONGEST_END_S = 3


@dataclass(frozen=True)
class Target:
    """Where the suite finds a Harbor of the lab."""

    kubeconfig: Path
    namespace: str
    harbor_url: str
    docker_host: str
    admin_password: str
    database: str
    """The part of the lab that is its database: Galera, PostgreSQL."""
    remarks: tuple[str, ...] = ()
    """What a reader of a report has to know of it."""
    suite_settings: Mapping[str, object] = field(default_factory=dict)
    """What the suite has to be told of its layout, by the names of its settings."""


@dataclass(frozen=True)
class Deployed:
    """A Harbor in the lab, as `lab.defects` needs it."""

    profile: Profile

    @staticmethod
    def kubectl(*argv: str, input: str | None = None) -> str:
        return control_plane.kubectl(*argv, input=input)

    def sql(self, statements: str) -> None:
        self.profile.run_sql(statements)

    @property
    def deployment_settings(self) -> rollout.DeploymentSettings:
        return rollout.DeploymentSettings(
            ceph_key=ceph.admin_key(),
            images=harbor_images.contents(),
            session_store=redis_sentinel.founded(),
        )


def target(profile: str | None = None) -> Target:
    """Where the lab's Harbor of that profile is; raises LabError when no lab is up, UnknownProfile."""
    lab_profile = profiles.find(profile)
    if not settings.KUBECONFIG.exists():
        raise LabError("no lab is up on this machine; `make up` (python -m lab up) stands one up")
    layout = layouts.of(lab_profile)
    return Target(
        kubeconfig=settings.KUBECONFIG,
        namespace=lab_profile.namespace,
        harbor_url=layout.url or lab_profile.url,
        docker_host=f"unix://{settings.DOCKER_SOCKET}",
        admin_password=settings.ADMIN_PASSWORD,
        database=lab_profile.database,
        remarks=(
            programs.remark(lab_profile),
            f"layout {layouts.chosen(lab_profile)}: {layout.about}",
            *layout.remarks,
        ),
        suite_settings=layout.settings(),
    )


def up(
    profile: str | None = None,
    layout: str | None = None,
    *,
    manifests: Path | None = None,
    images: Path | None = None,
) -> Target:
    """Stand the lab up with a Harbor of that profile, or mend what is there, and return where this Harbor is.

    `layout` is how it is deployed (see `lab.layouts`), or it is made of `manifests` that somebody rendered; without
    both that stays as it is. `images` is an archive of Harbor's own programs, to run in the place of the stand-in (the
    word stand-in: no longer). Whatever another profile has in the lab stays as it is. At the word `all` it is every
    profile, and the first of them that is returned.

    Raises UnknownLayout, UnfitMachine when this machine cannot carry it, Busy when another command is changing it,
    LabError naming the step that failed; calling it again goes on from there.
    """
    chosen = profiles.chosen(profile)
    fitness.require()
    with only_one():
        for each in chosen:
            if images is not None and str(images) == programs.STAND_IN:
                programs.forget(each)
            elif images is not None:
                programs.keep(each, images)
            if manifests is not None:
                layouts.give(each, manifests)
            elif layout is not None:
                layouts.choose(each, layout)
        perform(_actions(chosen))
    return target(chosen[0].name)


def lay_out(profile: Profile, layout: str) -> layouts.Layout:
    """Let the next deployment of that profile have this layout, and start what it needs beside Harbor.

    Raises UnknownLayout, LabError.
    """
    layouts.choose(profile, layout)
    _ensure_session_store()
    load_balancer.ensure()
    chosen = layouts.of(profile)
    chosen.ensure()
    return chosen


def prepare() -> None:
    """Install and compile what the lab needs, whatever the profile, and start nothing."""
    fitness.require()
    with only_one():
        perform(
            [action for action in _actions(profiles.chosen(profiles.EVERY)) if action.name in _PREPARATION]
        )


def down() -> None:
    """End whatever the lab started and remove whatever it wrote, except the cache.

    Works on any remainder of a lab, whatever was killed before.
    """
    with only_one():
        cgroups.kill()
        machine.unplug_host()
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        inside = [place for place in mounted if Path(place).is_relative_to(settings.STATE)]
        if inside:  # removing the folder would remove what is mounted there
            raise LabError(f"still mounted below {settings.STATE}: {', '.join(inside)}")
        if settings.STATE.exists():
            shutil.rmtree(settings.STATE)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the right to change the lab; raises Busy when another process has it.

    One that was killed may have it for a moment longer, by a program that it was about to start.
    """
    settings.CACHE.mkdir(parents=True, exist_ok=True)
    folder = os.open(settings.CACHE, os.O_RDONLY | os.O_DIRECTORY)
    try:
        wait_until(
            "nobody else changes the lab",
            lambda: fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB),
            deadline_s=_LONGEST_END_S,
        )
    except NotReady as taken:
        raise Busy("another `python -m lab` is changing the lab; wait until it has ended") from taken
    else:
        yield
    finally:
        os.close(folder)


_PREPARATION = (
    "Debian packages",
    "compile Kubernetes",
    "compile CoreDNS",
    "fetch Patroni",
    "container images",
)


_DATABASES = {"Galera": galera.ensure, "PostgreSQL": postgresql.ensure}


def _actions(chosen: tuple[Profile, ...]) -> list[Action]:
    databases = [profile.database for profile in chosen]
    return [
        Action("Debian packages", _install_packages),
        Action("compile Kubernetes", _compile_kubernetes),
        Action("compile CoreDNS", _compile_dns),
        Action("fetch Patroni", toolchain.fetch_patroni),
        Action("container images", harbor_images.build, ("Debian packages", "compile CoreDNS")),
        Action("machines and network", _join_machines, ("Debian packages",)),
        Action("what disruptions left", machine_control.mend_all, ("machines and network",)),
        Action("Ceph", ceph.ensure, ("what disruptions left",)),
        *(Action(name, _DATABASES[name], ("what disruptions left", "fetch Patroni")) for name in databases),
        Action("Redis and Sentinel", _ensure_session_store, ("what disruptions left",)),
        Action("HAProxy", load_balancer.ensure, (*databases, "Redis and Sentinel")),
        Action("docker daemon", docker_daemon.ensure, ("what disruptions left",)),
        Action(
            "Kubernetes control plane", control_plane.ensure, ("what disruptions left", "compile Kubernetes")
        ),
        *(
            Action(
                node.name,
                partial(_join_node, node),
                ("Kubernetes control plane", "container images"),
            )
            for node in nodes.ALL.values()
        ),
        Action("cluster DNS", _start_dns, tuple(nodes.ALL)),
        *(
            Action(
                profile.name,
                partial(_deploy_harbor, profile),
                ("cluster DNS", "Ceph", "HAProxy"),
            )
            for profile in chosen
        ),
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


def _ensure_session_store() -> None:
    """One for all generations: what the layout of one of them wants in the place of Redis, the others get, too."""
    wanted = [layouts.of(profile).session_store for profile in profiles.deployed()]
    redis_sentinel.ensure(next((kind() for kind in wanted if kind), redis_sentinel.Kind()))


def _join_machines() -> None:
    settings.STATE.mkdir(parents=True, exist_ok=True)
    for each in topology.ALL:
        each.ensure()
    for each in topology.ALL:
        each.plug_in(topology.CONTROL)
    machine.plug_in_host(topology.CONTROL)


def _join_node(node: nodes.Node) -> None:
    node.ensure_runtime()
    harbor_images.load(node, harbor_images.build())
    node.ensure_joined()


def _start_dns() -> None:
    dns.ensure()
    dns.wait_ready()


def _deploy_harbor(profile: Profile) -> None:
    _end_pods_with_dead_volumes(profile)
    harbor = Deployed(profile)
    layout = layouts.of(profile)
    layout.ensure()
    programs.ensure(profile)
    version = "-".join(filter(None, (layout.database_version, programs.version(profile))))
    if version:
        postgresql.ensure_own_database(version)
    # A defect that is planted stays: a run of the suite, which starts with `up`, is to find it.
    present = defects.planted(profile)
    if present:
        defects.plant(harbor, present)
    else:
        change = layouts.with_change(profile, None)
        rollout.deploy(harbor.kubectl, profile, harbor.deployment_settings, change=change)
        registry_cache.follow(profile)
        jobs_database.follow(harbor.kubectl, profile)
        layout.complete()
        defects.settle(harbor)


def _end_pods_with_dead_volumes(profile: Profile) -> None:
    dead = {uid for node in nodes.ALL.values() for uid in node.pods_with_dead_volumes()}
    listing = control_plane.kubectl("get", "pods", f"--namespace={profile.namespace}", "--output=json")
    for pod in (pod["metadata"] for pod in json.loads(listing)["items"] if pod["metadata"]["uid"] in dead):
        control_plane.kubectl(
            "delete",
            "pod",
            pod["name"],
            f"--namespace={profile.namespace}",
            "--grace-period=1",
            "--wait=false",
        )
