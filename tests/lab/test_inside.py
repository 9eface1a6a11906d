"""The suite in a pod of the cluster, with the rights that deploy/verifier/roles/observe gives: provider `existing`."""

import base64
import gzip
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from lab import profiles, settings
from lab.kubernetes import control_plane
from lab.waiting import NotYet, wait_until

pytestmark = pytest.mark.usefixtures("lab")
ROLES = settings.REPOSITORY / "deploy" / "verifier" / "roles"
POD = "harbor-verify"
_GZIP = b"\x1f\x8b"
HARBOR = profiles.find()


def kubectl(*argv: str, input: str | None = None) -> str:
    return control_plane.kubectl(*argv, f"--namespace={HARBOR.namespace}", input=input)


def role(name: str) -> str:
    """The manifests of one of the roles, for the namespace that Harbor is in here."""
    written = (ROLES / name / "roles.yaml").read_text()
    return written.replace("namespace: harbor\n", f"namespace: {HARBOR.namespace}\n")


@contextmanager
def granted(*names: str) -> Iterator[None]:
    """The ServiceAccount and its roles; all of it is removed."""
    try:
        for name in names:
            kubectl("apply", "--filename=-", input=role(name))
        yield
    finally:
        for name in reversed(names):
            kubectl("delete", "--filename=-", "--ignore-not-found", input=role(name))


def pod() -> dict:
    """A pod with this repository and its Python in it; the image brings no more than Debian's libraries."""
    python = "/usr/bin/python3" if sys.base_prefix == "/usr" else f"{sys.base_prefix}/bin/python3"
    places = {
        "repository": str(settings.REPOSITORY),
        "packages": sysconfig.get_path("purelib"),
        **({} if sys.base_prefix == "/usr" else {"python": sys.base_prefix}),
    }
    # What clients send is the same from inside, and takes a minute and a half.
    areas = " ".join(
        f"suites/{folder.name}"
        for folder in sorted((settings.REPOSITORY / "suites").iterdir())
        if folder.is_dir() and folder.name not in ("images", "__pycache__")
    )
    # Packed: the log of a container that ends at once behind more than 64 KiB was cut off there.
    report = "test -s /tmp/reports/latest/report.json && gzip -c /tmp/reports/latest/report.json | base64"
    suite = (
        f"{python} -m pytest {areas} --report-dir=/tmp/reports -p no:cacheprovider "
        f"-m 'not disruption and not builds' --namespace={HARBOR.namespace} --harbor-url={HARBOR.url} "
        "> /tmp/output; code=$?; "
        f"{report} || cat /tmp/output; exit $code"
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD},
        "spec": {
            "serviceAccountName": "harbor-verify",
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "suite",
                    "image": "goharbor/harbor-core:v2.15.2",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/sh", "-c", suite],
                    "workingDir": str(settings.REPOSITORY),
                    "env": [
                        {"name": "PYTHONPATH", "value": places["packages"]},
                        {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
                        {"name": "HARBOR_VERIFY_ADMIN_PASSWORD", "value": settings.ADMIN_PASSWORD},
                    ],
                    "volumeMounts": [
                        {"name": name, "mountPath": path, "readOnly": True} for name, path in places.items()
                    ],
                }
            ],
            "volumes": [{"name": name, "hostPath": {"path": path}} for name, path in places.items()],
        },
    }


@pytest.fixture
def ended_pod() -> Iterator[dict]:
    """The pod after its end; it and its rights are removed."""
    with granted("observe"):
        try:
            kubectl("apply", "--filename=-", input=yaml.safe_dump(pod()))

            def ended() -> dict:
                found = json.loads(kubectl("get", "pod", POD, "--output=json"))
                if found["status"]["phase"] not in ("Succeeded", "Failed"):
                    raise NotYet(json.dumps(found["status"]))
                return found

            yield wait_until("the suite in its pod has ended", ended, deadline_s=600, interval_s=2)
        finally:
            kubectl("delete", "pod", POD, "--ignore-not-found", "--grace-period=1")


def logged_report() -> dict:
    """The report that the pod has written last; of a pod that has just ended the end of its log came late once."""
    log = kubectl("logs", POD)
    try:
        packed = base64.b64decode(log, validate=False)
        assert packed.startswith(_GZIP), log
        return json.loads(gzip.decompress(packed))
    except (ValueError, EOFError) as cut_off:
        raise NotYet(f"{len(log)} characters: {cut_off}") from cut_off


def test_the_suite_runs_in_a_pod_with_the_rights_to_observe_and_no_more(ended_pod):
    report = wait_until("the log of the pod is whole", logged_report, deadline_s=30)
    assert "from inside" in report["target"]["found"][0]
    assert report["target"]["provider"] == "existing"
    wrong = [check for check in report["checks"] if check["verdict"] in ("fail", "error")]
    assert not wrong, json.dumps(wrong, indent=1)
    blocked = {check["id"]: check["message"] for check in report["checks"] if check["verdict"] == "blocked"}
    of_the_pod = ("needs a docker daemon", "needs Chromium", "no garbage collection has ended")
    assert all(message.startswith(of_the_pod) for message in blocked.values()), blocked
    assert report["exit_code"] == 0
    assert report["summary"]["pass"] > len(blocked)


@pytest.mark.parametrize(
    "roles, missing",
    [
        (("observe",), ["may not patch deployments", "may not create pods/eviction"]),
        (("observe", "disrupt"), ["may not create pods/eviction"]),
        (("observe", "disrupt", "drain"), []),
    ],
)
def test_each_role_adds_what_its_flag_needs_and_what_is_missing_is_told(roles, missing, tmp_path):
    with granted(*roles):
        preflight = subprocess.run(
            [
                sys.executable,
                *("-m", "harbor_verify", "--preflight", "--allow-disruption", "--allow-node-drain"),
                *(f"--kubeconfig={kubeconfig_of_the_account(tmp_path)}", f"--namespace={HARBOR.namespace}"),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "HARBOR_VERIFY_ADMIN_PASSWORD": settings.ADMIN_PASSWORD,
                "PYTHONPATH": str(settings.REPOSITORY),
                "COLUMNS": "500",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    rights = [line for line in preflight.stdout.splitlines() if "this account may not" in line]
    assert preflight.returncode == 0, preflight.stdout + preflight.stderr
    assert len(rights) == len(missing), rights
    assert all(any(words in line for line in rights) for words in missing), rights


def kubeconfig_of_the_account(folder: Path) -> Path:
    """A file with the lab's cluster, and a token of the ServiceAccount in place of the administrator."""
    config = yaml.safe_load(settings.KUBECONFIG.read_text())
    token = kubectl("create", "token", "harbor-verify").strip()
    config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file
