"""What a check is: one statement about Harbor, with a stable id, carried by one pytest test.

    @check("storage.claims-bound", hint="kubectl describe pvc …", source="Kubernetes: …")
    def test_every_claim_is_bound(harbor):
        \"\"\"Every PersistentVolumeClaim is Bound.\"\"\"

The first line of the docstring is the claim. The catalogue in docs/ and the reports are made from this.
"""

import inspect
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from harbor_verify.errors import CheckDefinitionError
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.words import NEUTRAL
from harbor_verify.reports.model import Severity

MUST, SHOULD = Severity.MUST, Severity.SHOULD

NEEDS = {
    "clients": "clients of a registry beside docker, on $PATH or in --clients-dir",
    "browser": "Chromium or Chrome (--browser), to be driven like a user's",
    "database": "a way from here to Harbor's database (--database-address)",
    "disruption": "permission to disrupt (--allow-disruption, or the namespace's label)",
    "disruption-budgets": "permission to list PodDisruptionBudgets",
    "conformance": "the OCI conformance suite (--conformance-program)",
    "docker": "a docker daemon",
    "garbage-collection": "permission to collect garbage (--allow-garbage-collection)",
    "images-to-build-on": "images to build on (--builder-image, --base-image, --small-image)",
    "exec": "permission to run commands in pods",
    "machine-control": "control of the machines that Harbor runs on (the lab has it)",
    "node-changes": "permission to cordon nodes, and to evict pods",
    "nodes": "permission to list the cluster's nodes",
    "pods": "permission to create pods and Secrets",
    "session-store": "a way from here to Harbor's Redis (--session-store-address)",
    "workload-changes": "permission to scale and restart Harbor's workloads",
    "volumes": "permission to read PersistentVolumes",
}
"""What a check may need beyond the target itself; harbor_verify/plugin/needs.py finds out whether it is there. A check
whose need is not met is blocked, and says so."""

_BUILDS = "images-to-build-on"
_EXTENDED = frozenset({"clients", "machine-control", "node-changes", "workload-changes"})
_ID = re.compile(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*")
_checks: dict[str, "Check"] = {}

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Check:
    """A check as it is declared. `needs` are keys of NEEDS; `test` is FILE::FUNCTION.

    `hint` leaves a place for what a generation of Harbor calls its parts (harbor_verify/model/words.py). `requires` is
    what a deployment must have for the check to say anything about it. `builds_on` are the ids of checks whose failure
    explains this one's.
    """

    id: str
    claim: str
    hint: str
    source: str
    needs: tuple[str, ...]
    requires: tuple[Role | Feature, ...]
    test: str
    severity: Severity = Severity.MUST
    builds_on: tuple[str, ...] = ()

    @property
    def is_extended(self) -> bool:
        """Whether it breaks more than a pod, or wants programs that few machines have."""
        return not _EXTENDED.isdisjoint(self.needs)

    def lacking(self, present: Collection[Role | Feature]) -> list[str]:
        """What of `requires` is not among what is there, in words; the check is then not applicable."""
        return [str(each) for each in self.requires if each not in present]

    @property
    def area(self) -> str:
        return self.id.partition(".")[0]


def check(
    id: str,
    *,
    hint: str,
    source: str,
    needs: tuple[str, ...] = (),
    requires: tuple[Role | Feature, ...] = (),
    severity: Severity = MUST,
    builds_on: tuple[str, ...] = (),
) -> Callable[[Test], Test]:
    """Make a test function a check.

    `hint` is what an operator does next when it fails; `source` says who promises it. `severity` MUST: Harbor is not
    highly available without it; SHOULD: advice.
    Raises CheckDefinitionError for an id that is badly formed, taken, or not of the folder's area, for a missing
    claim, for an unknown need, and for a place in the hint that no word fits.
    """

    def declare(test: Test) -> Test:
        file = Path(inspect.getsourcefile(test) or "")
        declared = Check(
            id=id,
            claim=(inspect.getdoc(test) or "").partition("\n")[0].strip(),
            hint=" ".join(hint.split()),
            source=" ".join(source.split()),
            needs=tuple(needs),
            requires=tuple(requires),
            test=f"{file}::{test.__qualname__}",
            severity=severity,
            builds_on=tuple(builds_on),
        )
        _require_sound(declared, folder=file.parent.name)
        _checks[id] = declared
        test.check = declared  # type: ignore[attr-defined]  # where check_of finds it
        pytest.mark.check(id)(test)
        if "disruption" in needs:
            pytest.mark.disruption(test)
        if _BUILDS in needs:
            pytest.mark.builds(test)
        if declared.is_extended:
            pytest.mark.extended(test)
        return test

    return declare


def check_of(item: pytest.Item) -> Check | None:
    """The check that a collected test carries, if it is one."""
    return getattr(getattr(item, "function", None), "check", None)


def every() -> dict[str, Check]:
    """The checks that have been imported so far, by id, in alphabetical order."""
    return dict(sorted(_checks.items()))


def _require_sound(declared: Check, *, folder: str) -> None:
    def wrong(what: str) -> CheckDefinitionError:
        return CheckDefinitionError(f"{declared.test}: check {declared.id!r} {what}")

    if not _ID.fullmatch(declared.id):
        raise wrong("is not of the form area.kebab-fact")
    if declared.area != folder:
        raise wrong(f"belongs in the folder {declared.area}/, not {folder}/")
    if not declared.claim:
        raise wrong("has no claim: the first line of the test's docstring")
    if not declared.hint or not declared.source:
        raise wrong("needs a hint and a source")
    try:
        NEUTRAL.fill(declared.hint)
    except (KeyError, ValueError, IndexError) as unfit:
        raise wrong(f"has a hint with a place that no word fits: {unfit}") from unfit
    if badly_formed := [each for each in declared.builds_on if not _ID.fullmatch(each)]:
        raise wrong(f"builds on {', '.join(badly_formed)}, which is no id of a check")
    if unknown := set(declared.needs) - set(NEEDS):
        raise wrong(f"needs {', '.join(sorted(unknown))}, which is none of {', '.join(NEEDS)}")
    present = _checks.get(declared.id)
    if present and present.test != declared.test:
        raise wrong(f"is declared twice; also by {present.test}")
