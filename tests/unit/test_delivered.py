"""deploy/verifier: one image, one pod in a Job and a CronJob, results that leave it, examples that are sound."""

import copy
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import tomllib
from pathlib import Path

import pytest
import yaml

from lab.deployment import verifier_image
from tests.unit.local_server import LocalServer, QuietHandler

REPOSITORY = Path(__file__).resolve().parents[2]
VERIFIER = REPOSITORY / "deploy" / "verifier"
EXAMPLES = VERIFIER / "examples"
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
SCRIPTS = [VERIFIER / "harbor-verify-job", VERIFIER / "verify-in-cluster"]


def document(name: str) -> dict:
    return yaml.safe_load((VERIFIER / name).read_text())


def test_job_and_cron_job_are_the_same_pod_but_for_where_results_go():
    job = document("job/job.yaml")["spec"]["template"]
    nightly = document("cronjob/cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]
    expected = copy.deepcopy(job)
    container = expected["spec"]["containers"][0]
    container["env"] = [each for each in container["env"] if each["name"] != "WAIT_FOR_FETCH_S"]
    claim = {"name": "results", "persistentVolumeClaim": {"claimName": "harbor-verify-results"}}
    expected["spec"]["volumes"][0] = claim
    assert nightly == expected


def test_the_image_is_named_alike_everywhere():
    named = {
        found
        for file in VERIFIER.rglob("*")
        if file.is_file()
        for found in re.findall(r"harbor-verify:(\d[\w.]*)|newTag: (\S+)", file.read_text())
    }
    assert {"".join(each) for each in named} == {VERSION}
    assert f"harbor-verify:{VERSION}" == verifier_image.NAME


def test_the_dockerfile_makes_what_the_lab_makes():
    final = (VERIFIER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    installed = re.search(r"--no-install-recommends ([^\\\n&]*)", final)
    assert installed
    assert tuple(installed[1].split()) == verifier_image.PACKAGES
    start = verifier_image.START
    assert f'\nENTRYPOINT ["{start["Entrypoint"][0]}"]' in final
    assert f"\nUSER {start['User']}\n" in final
    assert f"\nWORKDIR {start['WorkingDir']}\n" in final
    assert all(each in final for each in start["Env"] if not each.startswith("PATH="))


def test_the_dockerfile_is_given_all_that_it_copies():
    copied = re.findall(
        r"^COPY (?:--chmod=\d+ )?((?!--from)[^\n]*)", (VERIFIER / "Dockerfile").read_text(), re.M
    )
    sources = {source for line in copied for source in line.split()[:-1]}
    given = {
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert sources == given
    assert all((REPOSITORY / source).exists() for source in sources)


@pytest.mark.parametrize(
    "schema, example",
    [("vendor.github-workflows", "github-actions.yaml"), ("vendor.gitlab-ci", "gitlab-ci.yaml")],
)
def test_an_example_is_what_its_ci_server_takes(schema, example):
    words = ["-m", "check_jsonschema", "--builtin-schema", schema, str(EXAMPLES / example)]
    checked = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_is_plain_sh_without_a_fault(script):
    program = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([program, script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert os.access(script, os.X_OK)


REPORTS = """
for word in "$@"; do case $word in --report-dir=*) dir=${word#*=};; esac; done
mkdir -p "$dir/runs/now"; echo '{}' >"$dir/runs/now/report.json"; ln -sfn runs/now "$dir/latest"
"""


@pytest.fixture
def job(tmp_path):
    """Start harbor-verify-job with a program in the place of harbor-verify; its results go to tmp_path/results."""
    (tmp_path / "results").mkdir()
    (tmp_path / "bin").mkdir()
    started = []

    def start(program, **environment):
        file = tmp_path / "bin" / "harbor-verify"
        file.write_text(f"#!/bin/sh\n{program}\n")
        file.chmod(0o755)
        process = subprocess.Popen(
            [VERIFIER / "harbor-verify-job", "--smoke"],
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "RESULTS": str(tmp_path / "results"),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def contents(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as tar:
        return {each.name: tar.extractfile(each).read().decode() for each in tar if each.isfile()}


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"there is no {file}"
        time.sleep(0.02)


def test_a_job_leaves_report_output_and_exit_code_in_one_file_and_ends_as_the_run_did(job, tmp_path):
    process = job(f'{REPORTS} echo "one check failed: $1"; echo aside >&2; exit 1')
    output, _ = process.communicate(timeout=20)
    results = tmp_path / "results"
    archive = Path((results / "done").read_text())
    assert process.returncode == 1
    assert output == f"one check failed: --report-dir={results}/reports\naside\n"
    assert contents(archive) == {"latest/report.json": "{}\n", "output.txt": output, "exit-code": "1\n"}


def test_a_run_that_got_nowhere_leaves_no_report_of_an_earlier_one(job, tmp_path):
    job(REPORTS).communicate(timeout=20)
    process = job("echo 'not reached'; exit 4")
    process.communicate(timeout=20)
    assert process.returncode == 4
    expected = {"output.txt": "not reached\n", "exit-code": "4\n"}
    assert contents(tmp_path / "results" / "harbor-verify.tar.gz") == expected


def test_a_job_that_is_ended_ends_the_run_and_waits_until_it_has_mended(job, tmp_path):
    mends = 'trap "sleep 1; echo mended; exit 2" TERM; touch "$RESULTS/runs"; while :; do sleep 0.1; done'
    process = job(mends, WAIT_FOR_FETCH_S="60")
    wait_for(tmp_path / "results" / "runs")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (2, "mended\n")
    assert contents(tmp_path / "results" / "harbor-verify.tar.gz")["exit-code"] == "2\n"


def test_a_job_waits_until_its_results_are_fetched(job, tmp_path):
    process = job("exit 0", WAIT_FOR_FETCH_S="60")
    wait_for(tmp_path / "results" / "done")
    time.sleep(1.5)
    assert process.poll() is None
    (tmp_path / "results" / "fetched").touch()
    assert process.wait(timeout=20) == 0


def test_results_are_put_where_a_url_says_which_no_command_line_shows(job, tmp_path):
    taken = {}

    class Bucket(QuietHandler):
        def do_PUT(self):
            taken[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

    with LocalServer(("127.0.0.1", 0), Bucket).running() as server:
        process = job("exit 0", RESULTS_URL=f"{server.url}/bucket/run.tar.gz?X-Amz-Signature=1%2F2")
        output, _ = process.communicate(timeout=20)
    archive = tmp_path / "results" / "harbor-verify.tar.gz"
    assert (process.returncode, output) == (0, "")
    assert taken == {"/bucket/run.tar.gz?X-Amz-Signature=1%2F2": archive.read_bytes()}


def test_results_that_could_not_be_put_are_told_and_change_no_verdict(job, tmp_path):
    process = job("exit 0", RESULTS_URL="http://127.0.0.1:9/no?secret")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "could not be put" in output
    assert "secret" not in output
    assert (tmp_path / "results" / "done").exists()
