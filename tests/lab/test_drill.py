"""The lab's Harbor is copied among pushes and restored beside it: what a good copy holds, and what a bad one breaks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import cluster, copies, settings

pytestmark = pytest.mark.matrix
LAB = f"{sys.executable} -m lab"


@pytest.fixture(scope="module")
def deployed():
    yield cluster.up("harbor-2")
    copies.remove()


def drill(deployed: cluster.Target, folder: Path, **words: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, what was found, what was told meanwhile), as a stranger runs it: nothing of it knows of the lab."""
    given = {
        "copy": f"{LAB} copy {folder}/copy",
        "restore": f"{LAB} restore {folder}/copy",
        "remove": f"{LAB} remove-restored",
        "restored-namespace": copies.RESTORED.namespace,
        "restored-url": copies.RESTORED.url,
        "kubeconfig": str(deployed.kubeconfig),
        "namespace": deployed.namespace,
        "harbor-url": deployed.harbor_url,
        "pushes-per-s": "5",
        "timeout-s": "240",
        **{name.replace("_", "-"): text for name, text in words.items()},
    }
    own = {
        "HARBOR_VERIFY_ADMIN_PASSWORD": deployed.admin_password,
        "PYTHONPATH": str(settings.REPOSITORY),
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "harbor_verify", "drill", "--json"),
            *(f"--{name}={text}" for name, text in given.items()),
        ],
        cwd=folder,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stderr)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_a_good_copy_comes_back_whole_with_all_that_was_pushed_before_it(deployed, tmp_path):
    code, found, _ = drill(deployed, tmp_path)
    figures = found["figures"]
    sys.stdout.write(json.dumps(figures, indent=1))
    assert code == 0, found
    assert figures["acknowledged_before_count"] > 0
    assert figures["lost_count"] == figures["broken_count"] == 0
    assert 0 < figures["rpo_s"] <= figures["copy_s"]
    assert figures["rto_s"] > 0
    assert found["audit"]["findings"] == []


def test_a_copy_whose_storage_was_taken_before_its_database_is_broken(deployed, tmp_path):
    code, found, _ = drill(deployed, tmp_path, copy=f"{LAB} copy {tmp_path}/copy --storage-first")
    assert code == 1
    assert found["figures"]["broken_count"] > 0
    assert found["figures"]["lost_count"] == 0


def test_the_harbor_that_people_use_is_not_taken_for_its_copy(deployed, tmp_path):
    code, _, told = drill(
        deployed,
        tmp_path,
        restore="true",
        remove="true",
        restored_namespace=deployed.namespace,
        restored_url=deployed.harbor_url,
    )
    assert code == 4
    assert "it is no copy" in told
