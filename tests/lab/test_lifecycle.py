"""The lab is crash-proof: `up` mends what it finds, `down` leaves nothing, whatever was killed before."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cluster, health, settings
from lab.command import run
from lab.kubernetes import control_plane
from lab.machines import cgroups, docker_daemon
from lab.waiting import NotYet, wait_until


def traces() -> dict[str, object]:
    """What a lab could leave on a machine, other than its cache."""
    return {
        "processes in the lab's control groups": cgroups.processes(),
        "control groups": {
            str(tree / cgroups.ROOT) for tree in cgroups.trees() if (tree / cgroups.ROOT).exists()
        },
        "mounts": {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()},
        "named network namespaces": run(["ip", "netns", "list"]),
        "network namespaces": {line.split()[3] for line in _namespaces()},
        "interfaces": {line.split(": ")[1] for line in run(["ip", "-o", "link"]).splitlines()},
        "routes": run(["ip", "route", "show", "table", "all"]),
        "firewall rules": _firewall_rules(),
        "the lab's folder": settings.STATE.exists(),
    }


def _namespaces() -> list[str]:
    return run(["lsns", "--type=net", "--noheadings", "--output=TYPE,NPROCS,PID,NS"]).splitlines()


def _firewall_rules() -> list[str]:
    return [line for line in run(["iptables-save"]).splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module", autouse=True)
def clean_machine():
    cluster.down()
    yield traces()
    cluster.down()


def start_up() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab", "up"],
        cwd=settings.REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_when(process: subprocess.Popen[bytes], what: str, reached) -> None:
    def so_far() -> None:
        assert process.poll() is None, f"`up` ended before {what}: nothing was interrupted"
        if not reached():
            raise NotYet("not so far")

    wait_until(what, so_far, deadline_s=120, interval_s=0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""  # it has ended


MOMENTS = {
    "the machines are being made": lambda: len(cgroups.processes()) >= 2,
    "the control plane has started": lambda: control_plane.API_SERVER.pid() is not None,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_down_leaves_nothing_of_an_up_that_was_killed(moment, clean_machine):
    kill_when(start_up(), moment, MOMENTS[moment])
    assert cgroups.processes(), "the killed `up` had started something"

    cluster.down()

    assert traces() == clean_machine


def test_up_mends_what_a_killed_up_and_killed_programs_left(clean_machine):
    kill_when(start_up(), "the control plane has started", MOMENTS["the control plane has started"])
    cluster.up()
    assert [part for part in health.parts() if not part.well] == []

    victims = random.Random(3).sample(sorted(cgroups.processes()), k=12)
    mounts = [pid for pid in cgroups.processes() if name_of(pid) == "ceph-fuse"]
    assert mounts, "no pod has a volume: the one that must be mended was not broken"
    for pid in {*victims, mounts[0]}:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it went with one that was killed just before
    if pid := docker_daemon.DAEMON.pid():
        os.kill(pid, signal.SIGSTOP)  # refuses nothing, answers nothing
    cluster.up()

    assert [part for part in health.parts() if not part.well] == []
    cluster.down()
    assert traces() == clean_machine


def test_down_of_nothing_is_well(clean_machine):
    cluster.down()
    assert traces() == clean_machine
