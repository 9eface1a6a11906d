"""Reports on the command line: `harbor-verify report --help`, `python -m harbor_verify.reports --help`."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from harbor_verify.reports import compare, compare_terminal, runs
from harbor_verify.reports.errors import ReportError
from harbor_verify.reports.model import Run

DESCRIPTION = "Runs that are kept: list them, compare them, draw their report anew."

EPILOG = """\
RUN is a path to the folder of a run, its name (harbor-verify report list), or
`latest`.

examples:
  harbor-verify report compare 2026-11-24T02-30-00Z latest
                     what changed since that night
  harbor-verify report html latest
                     writes reports/latest/report.html

exit codes:
  0  done; also when a comparison finds differences
  2  there is no such run, its report cannot be read, or wrong usage
"""


def main(words: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(words)
    try:
        _say(options.run(options))
    except ReportError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'the report'} cannot be written: {error.strerror}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harbor-verify report",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: object, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument(
            "--report-dir",
            type=Path,
            default=runs.DIRECTORY,
            metavar="DIRECTORY",
            help="where runs are kept (default: %(default)s)",
        )
        added.set_defaults(run=run)
        return added

    command("list", _list, "lists the runs that are kept, the newest last")
    drawn = command("html", _html, "writes a run's report.html anew, and says where")
    drawn.add_argument("name", metavar="RUN", help="a path, a name, or `latest`")
    compared = command(
        "compare", _compare, "shows what changed from one run to another: verdicts, figures, versions"
    )
    compared.add_argument("before", metavar="A", help="the earlier run: a path, a name, or `latest`")
    compared.add_argument("after", metavar="B", help="the later run")
    compared.add_argument("--json", action="store_true", help="as JSON, for other programs")
    return parser


def _list(options: argparse.Namespace) -> str:
    run_by_name: dict[str, Run | None] = {}
    for name in runs.names(options.report_dir):
        try:
            run_by_name[name] = runs.load(runs.find(name, options.report_dir))
        except ReportError:
            run_by_name[name] = None
    if not run_by_name:
        return f"no run is kept in {options.report_dir / 'runs'}"
    return compare_terminal.listing(run_by_name, width=_width(), colour=sys.stdout.isatty())


def _html(options: argparse.Namespace) -> str:
    # Only here: what draws plots takes half a second to import.
    from harbor_verify.reports import html_file

    folder = runs.find(options.name, options.report_dir)
    return str(html_file.write(runs.load(folder), folder))


def _compare(options: argparse.Namespace) -> str:
    before, after = (
        runs.load(runs.find(name, options.report_dir)) for name in (options.before, options.after)
    )
    comparison = compare.compare(before, after)
    if options.json:
        return json.dumps(compare.document(comparison), indent=2, ensure_ascii=False)
    return compare_terminal.render(comparison, width=_width(), colour=sys.stdout.isatty())


def _width() -> int:
    return shutil.get_terminal_size((100, 24)).columns


def _say(text: str) -> None:
    sys.stdout.write(f"{text.rstrip()}\n")


if __name__ == "__main__":
    sys.exit(main())
