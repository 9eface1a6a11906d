"""Each planted defect turns exactly the checks red that it names, with a hint; healed, all are green again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cluster, defects, settings

pytestmark = pytest.mark.usefixtures("lab")


@pytest.fixture(autouse=True)
def healed():
    """Nothing is planted before, and nothing is left behind."""
    defects.heal(cluster.HARBOR)
    yield
    defects.heal(cluster.HARBOR)


def verify(folder: Path) -> tuple[int, dict[str, dict]]:
    """Run the suite on the lab as a user does; its exit code, and its report's checks by id."""
    words = [sys.executable, "-m", "pytest", "suites", "--lab", "--strict-skips", f"--report-dir={folder}"]
    done = subprocess.run(words, cwd=settings.REPOSITORY, capture_output=True, text=True, check=False)
    report = folder / "latest" / "report.json"
    assert report.exists(), (
        f"no report was written (exit code {done.returncode}):\n{done.stdout}\n{done.stderr}"
    )
    return done.returncode, {check["id"]: check for check in json.loads(report.read_text())["checks"]}


def verdicts(checks: dict[str, dict]) -> dict[str, str]:
    return {id: check["verdict"] for id, check in checks.items()}


def test_a_healthy_lab_is_all_green(tmp_path):
    exit_code, checks = verify(tmp_path)
    assert verdicts(checks) == dict.fromkeys(checks, "pass")
    assert len(checks) >= 7
    assert exit_code == 0


@pytest.mark.parametrize("name", defects.every())
def test_a_defect_turns_exactly_its_checks_red_and_healing_makes_them_green(name, tmp_path):
    defect = defects.find(name)
    defects.plant(cluster.HARBOR, name)
    exit_code, checks = verify(tmp_path / "broken")

    expected = {id: "fail" if id in defect.turns_red else "pass" for id in checks}
    assert verdicts(checks) == expected, json.dumps(
        [c for c in checks.values() if c["verdict"] != "pass"], indent=1
    )
    assert defect.turns_red <= checks.keys(), "a check that the defect names is not in the suite"
    assert exit_code == 1
    for id in defect.turns_red:
        assert checks[id]["offenders"], f"{id} names no offender"
        assert checks[id]["hint"], f"{id} has no hint"

    defects.heal(cluster.HARBOR)
    exit_code, checks = verify(tmp_path / "healed")
    assert verdicts(checks) == dict.fromkeys(checks, "pass")
    assert exit_code == 0
