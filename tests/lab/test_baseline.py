"""A real rolling change of version and schema is told as expected; what is spoilt after it is named, and nothing else.

The stand-in plays 2.12 where its programs are told to, and the schema goes up by its own migration.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harbor_verify import providers
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.image import Image
from harbor_verify.settings import Settings
from harbor_verify.target import Target, reach
from lab import cluster, profiles, settings
from lab.waiting import NotYet, wait_until

pytestmark = pytest.mark.matrix
PROFILE = "harbor-2"
PROJECT, USER, RULE = "baseline-of-the-lab", "baseline-mira", "baseline-rule"
CORE, JOBSERVICE = "deployment/harbor-core", "deployment/harbor-jobservice"
VERSION = "HARBOR_STAND_IN_VERSION"
OLD_SCHEMA = 150
API = "/api/v2.0"


@dataclass
class Upgraded:
    """The lab's Harbor with something in it, and a folder for baselines."""

    deployed: cluster.Target
    target: Target
    folder: Path
    robots: dict[str, int] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def kubectl(self, *argv: str, input: str | None = None) -> str:
        return cluster.Deployed.kubectl(*argv, f"--namespace={self.deployed.namespace}", input=input)

    def baseline(self, act: str, *words: str) -> subprocess.CompletedProcess[str]:
        """As a stranger runs it: nothing of it knows of the lab."""
        argv = [
            *(sys.executable, "-m", "harbor_verify", "baseline", act, "before.json", "--logins=logins.json"),
            *(f"--kubeconfig={self.deployed.kubeconfig}", f"--namespace={self.deployed.namespace}"),
            *(f"--harbor-url={self.deployed.harbor_url}", *words),
        ]
        own = {"HARBOR_VERIFY_ADMIN_PASSWORD": self.deployed.admin_password}
        environment = {**os.environ, "PYTHONPATH": str(settings.REPOSITORY), **own}
        done = subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        sys.stdout.write(f"\nbaseline {act}: {done.returncode}\n{done.stderr}\n")
        return done

    def check(self, *words: str) -> tuple[int, dict[str, Any]]:
        """(exit code, what was found)."""
        done = self.baseline("check", "--json", *words)
        found = json.loads(done.stdout)
        sys.stdout.write(json.dumps(found["differences"] + found["unknown"], indent=1) + "\n")
        return done.returncode, found

    def api(self, method: str, path: str, body: Any = None) -> Any:
        login = self.target.credentials
        answer = self.target.front_door.http.request(
            method, f"{API}{path}", json=body, auth=(login.user, login.password)
        )
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return answer

    def limit_project(self, storage_bytes: int) -> None:
        """-1: without a limit."""
        project = self.target.front_door.projects(PROJECT, self.target.credentials)[PROJECT]
        (quota,) = self.api("GET", f"/quotas?reference=project&reference_id={project.id}").json()
        self.api("PUT", f"/quotas/{quota['id']}", {"hard": {"storage": storage_bytes}})

    def roll(self, *change: str) -> None:
        """Change core, and wait for the end of its rollout."""
        self.kubectl(*change)
        self.kubectl("rollout", "status", CORE, "--timeout=240s")


def levels(found: dict[str, Any], level: str) -> set[tuple[str, str]]:
    return {(each["part"], each["thing"]) for each in found["differences"] if each["level"] == level}


@contextmanager
def reached(deployed: cluster.Target) -> Iterator[Target]:
    given = Settings(
        kubeconfig=deployed.kubeconfig,
        namespace=deployed.namespace,
        harbor_url=deployed.harbor_url,
        admin_password=deployed.admin_password,
    )
    target = reach(providers.provide(given), given)
    try:
        yield target
    finally:
        target.close()


@pytest.fixture(scope="module")
def harbor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """Core plays 2.12, with its schema; the baseline is kept; it is as it was in the end."""
    deployed = cluster.up(PROFILE)
    with reached(deployed) as target:
        harbor = Upgraded(deployed, target, tmp_path_factory.mktemp("baseline"))
        try:
            profiles.find(PROFILE).run_sql(f"UPDATE schema_migrations SET version = {OLD_SCHEMA}")
            harbor.roll("set", "env", CORE, f"{VERSION}=2.12")
            fill(harbor)
            (harbor.folder / "logins.json").write_text(json.dumps(harbor.passwords))
            done = harbor.baseline("save", "--make-session")
            assert done.returncode == 0, done.stderr
            yield harbor
        finally:
            harbor.kubectl("set", "env", CORE, f"{VERSION}-")
            empty(harbor)
            harbor.kubectl("rollout", "status", CORE, "--timeout=240s")


def fill(harbor: Upgraded) -> None:
    target = harbor.target
    front, login = target.front_door, target.credentials
    front.create_project(PROJECT, login)
    project = front.projects(PROJECT, login)[PROJECT]
    registry = target.front_registry(login)
    for repository, tags in (("web", ("1", "2")), ("a/b", ("latest",)), ("gone", ("1",))):
        for tag in tags:
            image = Image.make(f"{repository} {tag}".encode(), run_id=PROJECT)
            registry.push(image, f"{PROJECT}/{repository}", tag)
    for name in ("ci", "cd"):
        robot = target.front_door.create_robot(name, project, login)  # type: ignore[attr-defined]
        harbor.robots[robot.credentials.user] = robot.id
        harbor.passwords[robot.credentials.user] = robot.credentials.password
    front.create_user(Credentials(USER, "Baseline-1"), login, run_id=PROJECT)
    front.add_member(project, USER, 2, login)
    harbor.limit_project(2**30)
    profiles.find(PROFILE).run_sql(
        f"""INSERT INTO registry (name, url, credential_type, access_key, access_secret, type, health)
            VALUES ('{RULE}', 'https://upstream.invalid', 'basic', '', '', 'docker-registry', 'healthy');
        INSERT INTO replication_policy (name, dest_registry_id, trigger, enabled, creation_time, update_time)
            SELECT '{RULE}', id, '{{"type": "manual"}}', true, now(), now() FROM registry WHERE name = '{RULE}'"""
    )
    every_day = {"schedule": {"type": "Daily", "cron": "0 0 0 * * *"}}
    harbor.api("POST", "/system/gc/schedule", every_day)


def empty(harbor: Upgraded) -> None:
    front, login = harbor.target.front_door, harbor.target.credentials
    harbor.api("PUT", "/configurations", {"read_only": False})
    harbor.api("PUT", "/system/gc/schedule", {"schedule": {"type": "None", "cron": ""}})
    profiles.find(PROFILE).run_sql(
        f"DELETE FROM replication_policy WHERE name = '{RULE}'; DELETE FROM registry WHERE name = '{RULE}'"
    )
    for number in front.users(USER, login).values():
        front.delete_user(number, login)
    for project in front.projects(PROJECT, login).values():
        front.delete_project(project, login)


def token_key_secret(harbor: Upgraded) -> str:
    """The Secret that core's token key comes from."""
    spec = json.loads(harbor.kubectl("get", CORE, "--output=json"))["spec"]["template"]["spec"]
    mounts = spec["containers"][0]["volumeMounts"]
    name = next(each["name"] for each in mounts if each["mountPath"] == "/etc/core/private_key.pem")
    return next(each["secret"]["secretName"] for each in spec["volumes"] if each["name"] == name)


@contextmanager
def patched_secret(harbor: Upgraded, name: str, values: dict[str, str]) -> Iterator[None]:
    """With other values in a Secret, which no pod is told of."""
    before = json.loads(harbor.kubectl("get", "secret", name, "--output=json"))["data"]
    made = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    assert made.keys() <= before.keys()
    harbor.kubectl("patch", "secret", name, f"--patch={json.dumps({'data': made})}")
    try:
        yield
    finally:
        harbor.kubectl("patch", "secret", name, f"--patch={json.dumps({'data': before})}")


def require_given_up(harbor: Upgraded) -> None:
    """Raises NotYet while Kubernetes has hope for the rollout of the jobservice."""
    if "ProgressDeadlineExceeded" not in harbor.kubectl("get", JOBSERVICE, "--output=json"):
        raise NotYet("it may go on")


def require_crash(harbor: Upgraded) -> None:
    """Raises NotYet while no core is held back from starting again."""
    told = harbor.kubectl("get", "pods", "--output=json")
    if "CrashLoopBackOff" not in told:
        raise NotYet("every core starts, or has started")


def another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_a_rolling_change_of_version_and_schema_is_nothing_but_expected(harbor):
    harbor.roll("set", "env", CORE, f"{VERSION}-")
    code, found = harbor.check()
    assert not levels(found, "broken"), found["differences"]
    assert not levels(found, "suspicious"), found["differences"]
    assert code == 0, found["unknown"]
    assert {("versions", "version"), ("schema", "schema")} <= levels(found, "expected")
    honoured = [remark for remark in found["remarks"] if "is honoured by every replica" in remark]
    assert len(honoured) == 2, found["remarks"]


def test_clients_at_work_during_a_rolling_restart_lose_nothing(harbor):
    argv = ("rollout", "restart", CORE)
    restart = threading.Timer(20, lambda: harbor.kubectl(*argv))
    restart.start()
    code, found = harbor.check("--during=75")
    restart.join()
    assert not levels(found, "broken"), found["differences"]
    # A machine that is busy leaves open how long a client waited, and for nothing else.
    assert all("this machine was starved" in each["why"] for each in found["unknown"]), found["unknown"]
    assert code == (1 if found["unknown"] else 0)
    assert any(remark.startswith("what clients saw during the upgrade: ") for remark in found["remarks"])
    projects = harbor.target.front_door.projects("verify-", harbor.target.credentials)
    assert not projects, "what was made is removed"


def test_what_is_lost_after_it_is_named_and_nothing_else(harbor):
    """Tag, repository, robot, user and member, schedule, replication rule, quota; and it is left read-only."""
    front, login = harbor.target.front_door, harbor.target.credentials
    robot, number = sorted(harbor.robots.items())[0]
    harbor.api("DELETE", f"/projects/{PROJECT}/repositories/web/artifacts/2/tags/2")
    harbor.api("DELETE", f"/projects/{PROJECT}/repositories/gone")
    harbor.api("DELETE", f"/projects/{PROJECT}/repositories/a%252Fb/artifacts/latest")
    image = Image.make(b"pushed after it", run_id=PROJECT)
    harbor.target.front_registry(login).push(image, f"{PROJECT}/a/b", "latest")
    harbor.api("DELETE", f"/robots/{number}")
    front.delete_user(front.users(USER, login)[USER], login)
    harbor.api("PUT", "/system/gc/schedule", {"schedule": {"type": "None", "cron": ""}})
    profiles.find(PROFILE).run_sql(f"UPDATE replication_policy SET enabled = false WHERE name = '{RULE}'")
    harbor.limit_project(-1)
    harbor.api("PUT", "/configurations", {"read_only": True})
    code, found = harbor.check()
    assert code == 1
    assert levels(found, "broken") == {
        ("images", f"{PROJECT}/web"),
        ("images", f"{PROJECT}/gone"),
        ("robots", f"{PROJECT}/{robot}"),
        ("logins", robot),
        ("users", USER),
        ("members", f"{PROJECT}/user {USER}"),
        ("schedules", "GARBAGE_COLLECTION"),
        ("replication rules", RULE),
        ("quotas", PROJECT),
        ("settings", "read_only"),
    }
    assert ("images", f"{PROJECT}/a/b") in levels(found, "expected"), "it was pushed again since"
    assert not found["unknown"]
    harbor.api("PUT", "/configurations", {"read_only": False})


def test_keys_that_a_render_made_anew_are_named_and_a_csrf_key_that_is_too_short(harbor):
    before = levels(harbor.check()[1], "broken")
    made = {"CSRF_KEY": "k" * 31, "secretKey": "fedcba9876543210"}
    with patched_secret(harbor, "harbor-core", made):
        found = harbor.check()[1]
    things = {thing for _, thing in levels(found, "broken") - before}
    assert things == {"web core CSRF_KEY", "web core /etc/core/key"}


def test_a_rollout_that_is_stuck_while_old_pods_are_ready_is_named(harbor):
    before = levels(harbor.check()[1], "broken")
    harbor.kubectl("patch", JOBSERVICE, '--patch={"spec": {"progressDeadlineSeconds": 15}}')
    try:
        harbor.kubectl("set", "image", JOBSERVICE, "jobservice=goharbor/harbor-jobservice:none")
        wait_until("its rollout is given up", lambda: require_given_up(harbor), deadline_s=120, interval_s=2)
        found = harbor.check()[1]
    finally:
        harbor.kubectl("rollout", "undo", JOBSERVICE)
        harbor.kubectl("patch", JOBSERVICE, '--patch={"spec": {"progressDeadlineSeconds": 600}}')
        harbor.kubectl("rollout", "status", JOBSERVICE, "--timeout=240s")
    assert levels(found, "broken") - before == {("workloads", "job")}


def test_a_claim_that_was_replaced_and_a_part_that_was_scaled_to_nothing_are_named(harbor):
    before = levels(harbor.check()[1], "broken")
    replicas = json.loads(harbor.kubectl("get", JOBSERVICE, "--output=json"))["spec"]["replicas"]
    claim = json.loads(harbor.kubectl("get", "pvc", "harbor-jobservice", "--output=json"))
    again = claim["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    harbor.kubectl("scale", JOBSERVICE, "--replicas=0")
    try:
        harbor.kubectl("delete", "pvc", "harbor-jobservice", "--timeout=120s")
        volume = f"pv/{claim['spec']['volumeName']}"
        harbor.kubectl("patch", volume, "--type=merge", '--patch={"spec": {"claimRef": null}}')
        harbor.kubectl("apply", "--filename=-", input=again)
        found = harbor.check()[1]
    finally:
        harbor.kubectl("scale", JOBSERVICE, f"--replicas={replicas}")
        harbor.kubectl("rollout", "status", JOBSERVICE, "--timeout=240s")
    assert levels(found, "broken") - before == {("workloads", "job"), ("claims", "harbor-jobservice")}


def test_a_token_key_that_was_made_anew_is_named(harbor):
    before = levels(harbor.check()[1], "broken")
    with patched_secret(harbor, token_key_secret(harbor), {"tls.key": another_key()}):
        found = harbor.check()[1]
    core = next(each for each in levels(found, "broken") - before)
    assert levels(found, "broken") - before == {core}
    assert core[1].endswith(" /etc/core/private_key.pem")


def test_a_core_that_is_older_than_the_schema_is_told_while_the_others_still_answer(harbor):
    before = levels(harbor.check()[1], "broken")
    harbor.kubectl("set", "env", CORE, f"{VERSION}=2.12")
    try:
        wait_until("a new core gives up", lambda: require_crash(harbor), deadline_s=180, interval_s=2)
        found = harbor.check()[1]
    finally:
        harbor.roll("set", "env", CORE, f"{VERSION}-")
    assert levels(found, "broken") - before == {("workloads", "web")}
