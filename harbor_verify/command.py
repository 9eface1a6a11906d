"""The command `harbor-verify`: the suites, run by pytest from any folder, and the reports of runs that are kept."""

import argparse
import os
import sys
from pathlib import Path

import pytest

from harbor_verify.heal import main as heal
from harbor_verify.plugin.options import TITLE, add_options
from harbor_verify.reports.__main__ import main as report

DESCRIPTION = """\
Verifies that the Harbor on a Kubernetes cluster is highly available.

  harbor-verify [OPTION …]         verify; leaves a report in reports/latest/
  harbor-verify audit --help       read every image that is there, whole
  harbor-verify baseline --help    what an upgrade must leave as it is
  harbor-verify drill --help       restore a copy, and see what is in it
  harbor-verify heal --help        undo what a killed run left
  harbor-verify report --help      list, compare and draw the runs that are kept

What pytest takes (-k, -m, -x, --collect-only …) can be given, too.
"""
EPILOG = """\
examples:
  export HARBOR_VERIFY_ADMIN_PASSWORD=…
  harbor-verify --namespace harbor
  harbor-verify --namespace harbor --check 'storage.*'
  harbor-verify --namespace harbor --allow-disruption

exit codes:
  0  everything that must be so is so
  1  a check failed, or could not find out;
     with --strict: or advice is not followed
  2  interrupted, or stopped (--max-duration, --stop-when-outage-s, Lease lost)
  4  the target cannot be reached, or the settings are wrong
"""
_PYTEST = (
    # Settings of pytest for whatever lies in the current folder are not meant for these suites.
    *("-c", os.devnull, "--import-mode=importlib", "--strict-markers"),
    *(
        "-o",
        "console_output_style=classic",
        "-p",
        "no:cacheprovider",
        # Installed for --load, it would replace the threads and sockets of the probes.
        "-p",
        "no:locust",
        "-p",
        "harbor_verify.plugin",
        "--no-header",
    ),
    # This command has imported parts of the plugin before pytest does; they assert nothing.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


def main(words: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["report"]:
        return report(words[1:])
    if words[:1] == ["audit"]:
        # Only here: most runs of this command do without.
        from harbor_verify.audit.command import main as audit

        return audit(words[1:])
    if words[:1] == ["baseline"]:
        from harbor_verify.baseline.command import main as baseline

        return baseline(words[1:])
    if words[:1] == ["drill"]:
        from harbor_verify.drill.command import main as drill

        return drill(words[1:])
    if words[:1] == ["heal"]:
        return heal(words[1:])
    if {"-h", "--help"} & set(words):
        sys.stdout.write(_help())
        return 0
    # Without --rootdir the folder of `--kubeconfig FILE` would be taken for it.
    return int(pytest.main([str(suites()), *_PYTEST, f"--rootdir={Path.cwd()}", *words]))


def suites() -> Path:
    """The folder of the checks: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "suites"
    return inside if inside.is_dir() else package.parent / "suites"


def _help() -> str:
    parser = argparse.ArgumentParser(
        prog="harbor-verify",
        usage=argparse.SUPPRESS,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    add_options(parser.add_argument_group(TITLE).add_argument)
    return parser.format_help().removeprefix("usage: ==SUPPRESS==\n\n")
