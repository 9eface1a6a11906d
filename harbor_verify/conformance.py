"""The OCI distribution conformance suite, run as a black box against one place.

Source: github.com/opencontainers/distribution-spec, conformance: variables OCI_*, and junit.xml in OCI_RESULTS_DIR.
"""

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell

_FAILED = {"failure", "error"}
_NO_ANSWER = "~~~ Error ~~~"
"""What it writes in the place of an answer."""
_REPORTS = ("results.yaml", "report.html")


@dataclass(frozen=True)
class Conformance:
    """What the suite found at one place: (name, how often) of each test that failed, and how many tests were run."""

    failed: frozenset[tuple[str, int]]
    tests: int
    unanswered: frozenset[str] = frozenset()
    """Of those that failed the ones in which a request got no answer: it was refused, or its connection ended."""

    @property
    def names(self) -> list[str]:
        return sorted(name for name, _ in self.failed)

    @property
    def count(self) -> int:
        """How many tests failed."""
        return sum(number for _, number in self.failed)


def run(
    program: Path,
    address: str,
    tls: str,
    project: str,
    credentials: Credentials,
    *,
    keep: Callable[[str, str], None],
    ca_file: Path | None = None,
    timeout_s: float,
) -> Conformance:
    """Run the suite against HOST:PORT, in two repositories of a project; `tls` is enabled, insecure or disabled.

    `keep(name, text)` is given its own reports. Raises CannotTell where it comes to no result.
    """
    with tempfile.TemporaryDirectory(prefix="harbor-verify-conformance-") as folder:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **({"SSL_CERT_FILE": str(ca_file)} if ca_file else {}),
            "OCI_VERSION": "1.1",
            "OCI_REGISTRY": address,
            "OCI_TLS": tls,
            "OCI_REPO1": f"{project}/conformance-one",
            "OCI_REPO2": f"{project}/conformance-two",
            "OCI_USERNAME": credentials.user,
            "OCI_PASSWORD": credentials.password,
            "OCI_RESULTS_DIR": folder,
        }
        try:
            # Its exit code is 1 as soon as one test has failed.
            done = subprocess.run(
                [program],
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise CannotTell(f"{program} against {address}: {failed}") from failed
        for name in _REPORTS:
            if (report := Path(folder) / name).exists():
                keep(name, report.read_text(errors="replace"))
        try:
            return read((Path(folder) / "junit.xml").read_text(errors="replace"))
        except OSError as missing:
            last = (done.stderr or done.stdout).strip()[-500:]
            raise CannotTell(
                f"{program} against {address} left no result (exit code {done.returncode}): {last}"
            ) from missing


def read(junit: str) -> Conformance:
    """What its junit.xml says. Raises CannotTell where it is none, or holds no test that was run."""
    try:
        cases = list(ElementTree.fromstring(junit).iter("testcase"))
    except ElementTree.ParseError as unreadable:
        raise CannotTell(f"junit.xml of the conformance suite cannot be read: {unreadable}") from unreadable
    ran = [case for case in cases if case.get("status") in {"passed", *_FAILED}]
    if not ran:
        raise CannotTell("the conformance suite has run no test")
    wrong = [case for case in ran if case.get("status") in _FAILED]
    failed = Counter(case.get("name", "") for case in wrong)
    unanswered = {case.get("name", "") for case in wrong if _NO_ANSWER in case.findtext("system-err", "")}
    return Conformance(frozenset(failed.items()), len(ran), frozenset(unanswered))
