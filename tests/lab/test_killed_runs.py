"""A run that is killed in the middle leaves a ledger, and `harbor-verify heal` a cluster as it was, decoys included."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harbor_verify import providers
from harbor_verify.ledger import NAME as LEDGER
from harbor_verify.settings import Settings
from harbor_verify.target import reach
from lab import cluster, profiles, settings
from lab.waiting import NotYet, wait_until

pytestmark = pytest.mark.matrix
SEED = 17
MOMENTS_EACH = 10
LATEST_S = 60
"""The latest moment, from the start of the process on: by then it has healed what it broke, or is about to."""
DISRUPTIVE = {
    "harbor-1.2": ("failover.web-scale-down", "failover.node-drain", "failover.registry-rolling-restart"),
    "harbor-2": ("failover.web-scale-down", "failover.node-drain", "failover.web-rolling-restart"),
}
HARMLESS = ("registry.kubelet-pulls-with-pull-secret", "registry.busybox-push-pull")
WEB = {"harbor-1.2": ("replicationcontroller", "ui-rc"), "harbor-2": ("deployment", "harbor-core")}
CORDONED = "node-3"
"""By an operator. There are pods of Harbor's on it at first, and it would be drained if nobody looked."""
DECOY_PROJECTS = ("verify-20260101t000000-aaaa", "verify-20260101t000000-aaaa-w", "verify-abcd01230000-v")
DECOY_USER = "verify-0a0b0c0d"
_NOWHERE = {"harbor-lab/no-such-node": "true"}
_OF_A_ROLLOUT = "deployment.kubernetes.io/"
_OF_KUBERNETES = "kube-root-ca.crt"


@dataclass
class Lab:
    """One of the lab's Harbors, with decoys beside it."""

    profile: str
    target: cluster.Target
    at_the_kill: list[set[str]]
    """What stood in the ledger at each kill: acts and kinds."""

    def kubectl(self, *argv: str, input: str | None = None) -> str:
        return cluster.Deployed.kubectl(*argv, f"--namespace={self.target.namespace}", input=input)

    def objects(self, kinds: str) -> list[dict[str, Any]]:
        return json.loads(self.kubectl("get", kinds, "--output=json"))["items"]

    @contextmanager
    def harbor(self) -> Iterator[Any]:
        """(front door, credentials)."""
        given = Settings(
            kubeconfig=self.target.kubeconfig,
            namespace=self.target.namespace,
            harbor_url=self.target.harbor_url,
            admin_password=self.target.admin_password,
        )
        target = reach(providers.provide(given), given)
        try:
            yield target.front_door, target.credentials
        finally:
            target.close()
            target.kubernetes.close()

    def command(self, *words: str) -> list[str]:
        """harbor-verify as a stranger runs it: nothing of it knows of the lab."""
        return [
            *(sys.executable, "-m", "harbor_verify", *words, f"--kubeconfig={self.target.kubeconfig}"),
            *(f"--namespace={self.target.namespace}", f"--harbor-url={self.target.harbor_url}"),
            f"--docker-host={self.target.docker_host}",
        ]

    def environment(self) -> dict[str, str]:
        own = {"HARBOR_VERIFY_ADMIN_PASSWORD": self.target.admin_password}
        return {**os.environ, "PYTHONPATH": str(settings.REPOSITORY), **own}


def decoys(lab: Lab) -> list[dict[str, Any]]:
    """Beside Harbor: all its labels but one, its names with something more, and marks of runs that never were."""
    kind, name = WEB[lab.profile]
    web = json.loads(lab.kubectl("get", kind, name, "--output=json"))
    labels = dict(web["spec"]["template"]["metadata"]["labels"])
    labels[sorted(labels)[-1]] += "-decoy"
    notes = {"harbor-verify/replicas": "5", "harbor-verify/broken-by": "20260101t000000-aaaa.0001"}
    pod = {"nodeSelector": _NOWHERE, "containers": [{"name": "c", "image": "decoy:1"}]}
    of_a_run = {"harbor-verify/run": "20260101t000000-aaaa"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"{name}-2", "labels": labels, "annotations": notes},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "harbor-verify-20260101t000000-aaaa-0", "labels": of_a_run},
            "spec": pod,
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "harbor-verify-20260101t000000-aaaa", "labels": of_a_run},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{LEDGER}-2"}},
    ]


@pytest.fixture(scope="module")
def stood_up() -> Iterator[dict[str, Lab]]:
    """The Harbors that were asked for, by profile; at the end no decoy is left."""
    labs: dict[str, Lab] = {}
    yield labs
    for lab in labs.values():
        cluster.Deployed.kubectl("uncordon", CORDONED)
        lab.kubectl(
            "delete", "--filename=-", "--ignore-not-found", "--grace-period=0", input=listed(decoys(lab))
        )
        with lab.harbor() as (harbor, admin):
            for name in DECOY_PROJECTS:
                harbor.delete_project(harbor.projects(name, admin)[name], admin)
            harbor.delete_user(harbor.users(DECOY_USER, admin)[DECOY_USER], admin)


@pytest.fixture
def lab(profile: str, stood_up: dict[str, Lab]) -> Lab:
    if profile not in stood_up:
        lab = Lab(profile, cluster.up(profile), [])
        lab.kubectl("apply", "--filename=-", input=listed(decoys(lab)))
        cluster.Deployed.kubectl("cordon", CORDONED)
        with lab.harbor() as (harbor, admin):
            for name in DECOY_PROJECTS:
                harbor.create_project(name, admin)
            user = type(admin)(DECOY_USER, "Decoy12345")
            harbor.create_user(user, admin, run_id="20260101t000000-aaaa")
        stood_up[profile] = lab
    return stood_up[profile]


def listed(objects: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def seen(lab: Lab) -> dict[str, Any]:
    """All that a run may make or break, as it is now. Raises NotYet while Harbor's workloads are not whole."""
    before: dict[str, Any] = {}
    for item in lab.objects("deployments,statefulsets,replicationcontrollers"):
        what = f"{item['kind']} {item['metadata']['name']}"
        ready, wanted = item["status"].get("readyReplicas", 0), item["spec"]["replicas"]
        if ready != wanted and not what.endswith("-2"):
            raise NotYet(f"{what}: {ready} of {wanted} replicas are Ready")
        notes = item["metadata"].get("annotations") or {}
        kept = {key: value for key, value in notes.items() if not key.startswith(_OF_A_ROLLOUT)}
        before[what] = (item["spec"], kept)
    for item in lab.objects("nodes"):
        before[f"Node {item['metadata']['name']}"] = (item["spec"], item["metadata"].get("annotations"))
    names = [
        f"{item['kind']} {item['metadata']['name']}"
        for item in lab.objects("secrets,configmaps,leases")
        if item["metadata"]["name"] != _OF_KUBERNETES
    ]
    pods = [item["metadata"]["name"] for item in lab.objects("pods")]
    before["objects"] = sorted(names)
    before["pods of runs"] = sorted(name for name in pods if name.startswith("harbor-verify"))
    with lab.harbor() as (harbor, admin):
        before["projects"] = sorted(harbor.projects("", admin))
        before["users"] = sorted(harbor.users("verify-", admin))
    images = ["docker", f"--host={lab.target.docker_host}", "images", "--format={{.Repository}}:{{.Tag}}"]
    local = subprocess.run(images, capture_output=True, text=True, check=True).stdout.split()
    before["local images"] = sorted(name for name in local if re.search(r"verify-", name))
    return before


def acts_in_ledger(lab: Lab) -> set[str]:
    found = lab.kubectl("get", "configmap", LEDGER, "--ignore-not-found", "--output=json")
    lines = json.loads(found).get("data", {}).values() if found.strip() else ()
    return {f"{entry['act']} {entry['kind']}" for entry in map(json.loads, lines)}


@pytest.mark.parametrize(
    "profile, number", [(profile, number) for profile in profiles.ALL for number in range(MOMENTS_EACH)]
)
def test_after_a_kill_at_any_moment_heal_brings_all_back_and_touches_no_decoy(
    lab: Lab, profile: str, number: int, tmp_path: Path
):
    draw = Random(f"{SEED}/{profile}/{number}")
    checks = [draw.choice(DISRUPTIVE[profile]), *draw.sample(HARMLESS, k=draw.randrange(2))]
    moment_s = draw.uniform(1, LATEST_S)
    before = wait_until("Harbor is whole before", lambda: seen(lab), deadline_s=180, interval_s=1)
    flags = ["--allow-disruption", "--allow-node-drain", f"--report-dir={tmp_path}/reports"]
    flags += [f"--check={id}" for id in checks]
    with (tmp_path / "output").open("w") as output:
        run = subprocess.Popen(
            lab.command(*flags), cwd=tmp_path, env=lab.environment(), stdout=output, stderr=output
        )
        try:
            run.wait(timeout=moment_s)
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
    left = acts_in_ledger(lab)
    lab.at_the_kill.append(left)
    told = (
        f"{profile} {number}: {', '.join(checks)}, after {moment_s:.1f} s ({run.returncode}): {sorted(left)}"
    )
    sys.stdout.write(f"\n{told}\n")

    # Some wait until the Lease of the killed run has run out; the others say that they know.
    hurry = [] if number % 5 == 0 else ["--take-over"]
    began_s = time.monotonic()
    healed = subprocess.run(
        lab.command("heal", *hurry),
        cwd=tmp_path,
        env=lab.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(f"healed in {time.monotonic() - began_s:.1f} s:\n{healed.stdout}{healed.stderr}")
    assert healed.returncode == 0, f"{healed.stdout}{healed.stderr}\n{(tmp_path / 'output').read_text()}"

    def as_before() -> None:
        now = seen(lab)
        if others := {key: (was, now.get(key)) for key, was in before.items() if now.get(key) != was}:
            raise NotYet(json.dumps(others, default=str))
        if now.keys() != before.keys():
            raise NotYet(f"there are {now.keys() ^ before.keys()}")

    wait_until("all is as before", as_before, deadline_s=180, interval_s=1)
    again = subprocess.run(
        lab.command("heal"), cwd=tmp_path, env=lab.environment(), capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stdout.strip()) == (
        0, f"nothing to undo in namespace {lab.target.namespace}"
    )  # fmt: skip


def test_the_kills_met_things_that_were_broken(stood_up: dict[str, Lab]):
    """Else nothing was proven."""
    kills = [acts for lab in stood_up.values() for acts in lab.at_the_kill]
    if len(kills) < MOMENTS_EACH:
        pytest.skip("only a few were asked for")
    met = {act for acts in kills for act in acts}
    assert "made project" in met
    assert met & {"broken Deployment", "broken ReplicationController"}, met
    assert "broken Node" in met
