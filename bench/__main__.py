"""Measure, and print the figures: `python -m bench --help`."""

import argparse
import sys

from rich.console import Console
from rich.table import Column, Table

from bench import audit, hardening, history, images, lab, large_cluster, outages, report, suite
from bench.figures import shown

SUBJECTS = {
    "audit": audit.measure,
    "hardening": hardening.measure,
    "history": history.measure,
    "images": images.measure,
    "lab": lab.measure,
    "large-cluster": large_cluster.measure,
    "outages": outages.measure,
    "report": report.measure,
    "suite": suite.measure,
}


BY_NAME_ONLY = {"hardening", "outages"}
"""The one takes the longest, the other needs runs that are kept."""


def main() -> int:
    """Exit code 1 when a figure is beyond what the project promises."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        help=f"of {', '.join(SUBJECTS)}; without: all but {', '.join(BY_NAME_ONLY)}",
    )
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each figure (default: 3)")
    options = parser.parse_args()
    if unknown := set(options.subjects) - SUBJECTS.keys():
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    chosen = options.subjects or [name for name in SUBJECTS if name not in BY_NAME_ONLY]
    figures = [figure for name in chosen for figure in SUBJECTS[name](options.rounds)]
    table = Table(Column("figure", overflow="fold"), "median", "from … to", "promised at most")
    for figure in figures:
        promised = "" if figure.limit is None else f"{figure.limit:g} {figure.unit}"
        table.add_row(
            figure.name,
            f"{shown(figure.median)} {figure.unit}",
            figure.spread(),
            promised,
            style="" if figure.kept else "red",
        )
    Console(highlight=False).print(table)
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
