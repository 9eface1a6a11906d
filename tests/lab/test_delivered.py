"""The image of the verifier, and deploy/verifier as a stranger uses it: overlays, scripts of CI servers, plugins."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import profiles, settings
from lab.deployment import verifier_image
from lab.kubernetes import control_plane
from lab.programs.toolchain import program
from lab.waiting import NotYet, wait_until

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.matrix]
VERIFIER = settings.REPOSITORY / "deploy" / "verifier"
EXAMPLES = VERIFIER / "examples"
HARBOR = profiles.find()
PASSWORD = "harbor-verify"
"""The Secret that the Jobs read the password from."""


def kubectl(*argv: str, input: str | None = None, timeout_s: float = 60) -> str:
    return control_plane.kubectl(*argv, f"--namespace={HARBOR.namespace}", input=input, timeout_s=timeout_s)


@pytest.fixture(scope="module", autouse=True)
def image(lab: object) -> None:
    verifier_image.ensure()


@pytest.fixture
def password() -> Iterator[None]:
    """The administrator's password where the Jobs look for it."""
    given = f"--from-literal=HARBOR_VERIFY_ADMIN_PASSWORD={settings.ADMIN_PASSWORD}"
    kubectl("create", "secret", "generic", PASSWORD, given)
    yield
    kubectl("delete", "secret", PASSWORD)


def strangers(folder: Path, of: str, *more: str) -> Path:
    """A checkout of somebody's with deploy/verifier, where `of` is changed for this Harbor by a kustomization."""
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "verifier").symlink_to(VERIFIER)
    mine = folder / "mine"
    mine.mkdir()
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": HARBOR.namespace,
        "resources": [f"../deploy/verifier/{of}"],
        "configMapGenerator": [
            {
                "name": "harbor-verify-settings",
                "behavior": "merge",
                "literals": [f"HARBOR_VERIFY_HARBOR_URL={HARBOR.url}", *more],
            }
        ],
    }
    (mine / "kustomization.yaml").write_text(yaml.safe_dump(document))
    return mine


@pytest.fixture
def removed() -> Iterator[list[Path]]:
    """Kustomizations whose objects are removed in the end."""
    folders: list[Path] = []
    yield folders
    for folder in folders:
        kubectl("delete", f"--kustomize={folder}", "--ignore-not-found", timeout_s=200)


def run_script(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a CI server's in somebody's checkout, with kubectl in the PATH."""
    return subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env={
            "PATH": f"{program('kubectl').parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(settings.KUBECONFIG),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def scripts() -> dict[str, str]:
    """The line of each CI server's example that runs the verifier."""
    steps = yaml.safe_load((EXAMPLES / "github-actions.yaml").read_text())["jobs"]["gate"]["steps"]
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-ci.yaml").read_text())["harbor-gate"]["script"]
    jenkins = (EXAMPLES / "Jenkinsfile").read_text()
    return {
        "github-actions": next(step["run"] for step in steps if step.get("name") == "Verify"),
        "gitlab-ci": "\n".join(gitlab),
        "jenkins": next(
            line.split("'")[1] for line in jenkins.splitlines() if line.strip().startswith("sh '")
        ),
    }


def require_passed(done: subprocess.CompletedProcess[str], results: Path) -> dict:
    """The report of a run that is green in every way."""
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((results / "latest" / "report.json").read_text())
    wrong = {
        each["id"]: each["message"]
        for each in report["checks"]
        if each["verdict"] not in ("pass", "not applicable")
    }
    assert not wrong
    assert (report["exit_code"], (results / "exit-code").read_text().strip()) == (0, "0")
    assert "from inside" in report["target"]["found"][0]
    assert (results / "latest" / "report.html").exists()
    return report


@pytest.mark.parametrize("server", scripts())
def test_the_line_of_a_ci_server_runs_its_overlay_and_brings_the_results(server, tmp_path, password, removed):
    """The gate once, as the longest; the others are given the smoke overlay in its place."""
    overlay = "gate" if server == "github-actions" else "smoke"
    removed.append(mine := strangers(tmp_path, f"overlays/{overlay}"))
    script = scripts()[server].replace("deploy/verifier/overlays/gate", str(mine))
    assert str(mine) in script
    done = run_script(script, tmp_path)
    report = require_passed(done, tmp_path / "results")
    assert (len(report["checks"]) > 50) == (overlay == "gate")
    assert "No resources found" in run_script("kubectl get jobs -n " + HARBOR.namespace, tmp_path).stderr


def test_what_is_wrong_with_the_settings_comes_out_of_the_cluster_too(tmp_path, removed):
    """No password anywhere: exit code 4, and the message."""
    removed.append(mine := strangers(tmp_path, "overlays/smoke"))
    done = run_script(f"deploy/verifier/verify-in-cluster {mine} results", tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "HARBOR_VERIFY_ADMIN_PASSWORD" in done.stdout
    assert not (tmp_path / "results" / "latest").exists()


def volume(place: Path) -> dict:
    """A PersistentVolume for the claim of the nightly overlay: a folder of this machine, as the nodes see it, too."""
    place.mkdir()
    place.chmod(0o777)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "harbor-verify-results"},
        "spec": {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": str(place)},
            "claimRef": {"namespace": HARBOR.namespace, "name": "harbor-verify-results"},
        },
    }


def test_a_nightly_run_breaks_pods_and_keeps_its_results_on_the_claim(tmp_path, removed):
    """Two of its checks, started as somebody does in the daytime; the password is in a Secret of Harbor's."""
    mine = strangers(tmp_path, "overlays/nightly", "HARBOR_VERIFY_CREDENTIALS_SECRET=harbor-core")
    place = "/spec/jobTemplate/spec/template/spec/containers/0/args/-"
    ids = ("storage.claims-bound", "failover.registry-pod-kill")
    words = [{"op": "add", "path": place, "value": f"--check={id}"} for id in ids]
    document = yaml.safe_load((mine / "kustomization.yaml").read_text())
    document["patches"] = [{"target": {"kind": "CronJob"}, "patch": yaml.safe_dump(words)}]
    (mine / "kustomization.yaml").write_text(yaml.safe_dump(document))
    results = tmp_path / "claim"
    persistent = yaml.safe_dump(volume(results))
    kubectl("apply", "--filename=-", input=persistent)
    removed.append(mine)
    try:
        kubectl("apply", f"--kustomize={mine}")
        kubectl("create", "job", "today", "--from=cronjob/harbor-verify-nightly")

        def ended() -> dict:
            status = json.loads(kubectl("get", "job", "today", "--output=json"))["status"]
            if not status.get("succeeded") and not status.get("failed"):
                raise NotYet(str(status))
            return status

        status = wait_until("the nightly Job has ended", ended, deadline_s=300, interval_s=2)
        assert status.get("succeeded"), kubectl("logs", "job/today")
        report = json.loads((results / "reports" / "latest" / "report.json").read_text())
        assert {each["id"]: each["verdict"] for each in report["checks"]} == dict.fromkeys(ids, "pass")
        names = run_script(f"tar -tzf {results}/harbor-verify.tar.gz", tmp_path).stdout.split()
        assert {"latest/report.json", "output.txt", "exit-code"} <= set(names)
    finally:
        kubectl("delete", "job", "today", "--ignore-not-found")
        kubectl("delete", f"--kustomize={mine}", "--ignore-not-found", timeout_s=200)
        kubectl("delete", "--filename=-", "--ignore-not-found", input=persistent)


def test_every_manifest_is_taken_by_the_api_server(tmp_path):
    for index, of in enumerate(("overlays/smoke", "overlays/gate", "overlays/nightly", "examples/argo-cd")):
        mine = strangers(tmp_path / str(index), of)
        kubectl("apply", "--dry-run=server", "--validate=strict", f"--kustomize={mine}")


def pod_of_sonobuoy() -> dict:
    """What Sonobuoy makes of the plugin: its container, one of its own that waits for the done file, a volume."""
    plugin = yaml.safe_load((EXAMPLES / "sonobuoy" / "plugin.yaml").read_text())
    ours = {"HARBOR_VERIFY_NAMESPACE": HARBOR.namespace, "HARBOR_VERIFY_HARBOR_URL": HARBOR.url}
    container = plugin["spec"]
    container["env"] = [{**each, "value": ours.get(each["name"], each["value"])} for each in container["env"]]
    container["args"] = ["--smoke"]
    wait = "until [ -e /tmp/sonobuoy/results/done ]; do sleep 1; done; "
    worker = {
        "name": "sonobuoy-worker",
        "image": container["image"],
        "command": ["sh", "-c", f'{wait} tar -tzf "$(cat /tmp/sonobuoy/results/done)"'],
        "volumeMounts": [{"name": "results", "mountPath": "/tmp/sonobuoy/results"}],
    }
    spec = plugin["podSpec"]
    spec["volumes"].append({"name": "results", "emptyDir": {}})
    spec["serviceAccountName"] = "harbor-verify"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sonobuoy-harbor-verify-job"},
        "spec": {**spec, "containers": [container, worker]},
    }


def test_a_worker_of_sonobuoy_finds_the_results_by_the_done_file(tmp_path, removed):
    pod = pod_of_sonobuoy()
    name = pod["metadata"]["name"]
    removed.append(mine := strangers(tmp_path, "roles/observe"))
    (mine / "kustomization.yaml").write_text(
        yaml.safe_dump({"namespace": HARBOR.namespace, "resources": ["../deploy/verifier/roles/observe"]})
    )
    kubectl("apply", f"--kustomize={mine}")
    try:
        kubectl("apply", "--filename=-", input=yaml.safe_dump(pod))

        def ended() -> str:
            phase = json.loads(kubectl("get", "pod", name, "--output=json"))["status"]["phase"]
            if phase not in ("Succeeded", "Failed"):
                raise NotYet(phase)
            return phase

        phase = wait_until("the plugin has ended", ended, deadline_s=120, interval_s=1)
        assert phase == "Succeeded", kubectl("logs", name, "--container=plugin")
        assert "latest/junit.xml" in kubectl("logs", name, "--container=sonobuoy-worker").split()
    finally:
        kubectl("delete", "pod", name, "--ignore-not-found", "--grace-period=1")
