"""junit.xml: a run for CI servers. A test suite an area, a test case a check; its id is the test case's name.

A fail is <failure>, an error <error>: CI servers show the difference. Each test case carries the properties
check, claim, hint and source, one property for each figure that was measured, and one called evidence for each file
that shows more, relative to the run's folder.
"""

import re
from pathlib import Path
from xml.etree import ElementTree as xml

from harbor_verify.reports.model import CheckResult, Run, Verdict

_ELEMENTS = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(run: Run, file: Path) -> None:
    """Write the run as JUnit XML."""
    tree = xml.ElementTree(document(run))
    xml.indent(tree)
    tree.write(file, encoding="utf-8", xml_declaration=True)


def document(run: Run) -> xml.Element:
    """The run as a <testsuites> element."""
    root = xml.Element("testsuites", name="harbor-verify", time=f"{run.duration_s:.3f}")
    for area in run.areas():
        suite = xml.SubElement(
            root,
            "testsuite",
            name=area.area,
            tests=str(sum(area.counts.values())),
            failures=str(area.counts[Verdict.FAIL]),
            errors=str(area.counts[Verdict.ERROR]),
            skipped=str(area.counts[Verdict.SKIP]),
            time=f"{area.duration_s:.3f}",
            timestamp=run.started.isoformat(timespec="seconds"),
        )
        for result in run.results:
            if result.area == area.area:
                suite.append(_case(result))
    return root


def _case(result: CheckResult) -> xml.Element:
    case = xml.Element(
        "testcase", classname=f"harbor-verify.{result.area}", name=result.id, time=f"{result.duration_s:.3f}"
    )
    properties = xml.SubElement(case, "properties")
    said = {"check": result.id, "claim": result.claim, "hint": result.hint, "source": result.source}
    evidence = [("evidence", file) for file in result.evidence]
    for name, value in [*said.items(), *result.measured.items(), *evidence]:
        xml.SubElement(properties, "property", name=name, value=_clean(str(value)))
    if result.verdict in _ELEMENTS:
        what = xml.SubElement(case, _ELEMENTS[result.verdict], message=_clean(_headline(result)))
        what.text = _clean(_details(result))
    return case


def _headline(result: CheckResult) -> str:
    if result.verdict == Verdict.FAIL:
        return f"not so: {result.claim}"
    return result.message.partition("\n")[0]


def _details(result: CheckResult) -> str:
    offenders = [f"{o.object}\n  expected: {o.expected}\n  observed: {o.observed}" for o in result.offenders]
    hint = [f"hint: {result.hint}"] if result.verdict == Verdict.FAIL else []
    return "\n".join([*([result.message] if result.message else []), *offenders, *hint])


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("�", text)
