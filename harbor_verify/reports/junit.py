"""junit.xml: a run for CI servers. A test suite an area, a test case a check; its id is the test case's name.

A fail is <failure>, an error <error>: CI servers show the difference; what is blocked or not applicable is <skipped>.
Advice that is not followed is no failure unless the run is --strict: it is told in <system-out>. Each test case carries
the properties check, claim, hint, source, severity, category (pass, fail, advice, error, blocked, not applicable) and,
where another check explains it, caused-by; one property for each figure that was measured, and one called evidence for
each file that shows more, relative to the run's folder. What is of no check and ends a run with exit code 1 (it was
stopped, checks were not run, something could not be removed) is an <error> each, of a test suite called run.
"""

import io
import re
from pathlib import Path
from xml.etree import ElementTree as xml

from harbor_verify.reports import blame, whole
from harbor_verify.reports.grouping import grouped
from harbor_verify.reports.model import Category, CheckResult, Run, Verdict

_ELEMENTS = {
    Category.FAIL: "failure",
    Category.ERROR: "error",
    Category.BLOCKED: "skipped",
    Category.NOT_APPLICABLE: "skipped",
}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(run: Run, file: Path) -> None:
    """Write the run as JUnit XML. Raises OSError."""
    tree = xml.ElementTree(document(run))
    xml.indent(tree)
    text = io.StringIO()
    tree.write(text, encoding="unicode", xml_declaration=False)
    whole.put(file, f"<?xml version='1.0' encoding='utf-8'?>\n{text.getvalue()}")


def document(run: Run) -> xml.Element:
    """The run as a <testsuites> element."""
    root = xml.Element("testsuites", name="harbor-verify", time=f"{run.duration_s:.3f}")
    elements = {**_ELEMENTS, Category.ADVICE: "failure" if run.strict else "system-out"}
    causes = blame.causes(run.results)
    for area in run.areas():
        of_element = {
            element: str(sum(area.counts[category] for category, each in elements.items() if each == element))
            for element in elements.values()
        }
        suite = xml.SubElement(
            root,
            "testsuite",
            name=area.area,
            tests=str(sum(area.counts.values())),
            failures=of_element["failure"],
            errors=of_element["error"],
            skipped=of_element["skipped"],
            time=f"{area.duration_s:.3f}",
            timestamp=run.started.isoformat(timespec="seconds"),
        )
        for result in run.results:
            if result.area == area.area:
                suite.append(_case(result, elements.get(result.category), causes.get(result.id)))
    if of_the_run := _of_the_run(run):
        count, at = str(len(of_the_run)), run.started.isoformat(timespec="seconds")
        numbers = {"tests": count, "failures": "0", "errors": count, "skipped": "0", "time": "0.000"}
        suite = xml.SubElement(root, "testsuite", {"name": "run", **numbers, "timestamp": at})
        suite.extend(of_the_run)
    return root


def _of_the_run(run: Run) -> list[xml.Element]:
    """A test case for each thing that is of no check, and for which the run has no verdict."""
    troubles = {
        "stopped-before-its-end": [run.stopped] if run.stopped else [],
        "not-run": run.not_run,
        "left-behind": run.left_behind,
    }
    cases = []
    for name, lines in troubles.items():
        if lines:
            case = xml.Element("testcase", classname="harbor-verify.run", name=f"run.{name}", time="0.000")
            more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
            xml.SubElement(case, "error", message=_clean(lines[0] + more)).text = _clean("\n".join(lines))
            cases.append(case)
    return cases


def _case(result: CheckResult, element: str | None, cause: str | None) -> xml.Element:
    """`element` is what tells how it ended; None: it passed."""
    case = xml.Element(
        "testcase", classname=f"harbor-verify.{result.area}", name=result.id, time=f"{result.duration_s:.3f}"
    )
    properties = xml.SubElement(case, "properties")
    said = {"check": result.id, "claim": result.claim, "hint": result.hint, "source": result.source}
    said |= {"severity": result.severity.value, "category": result.category.value}
    said |= {"caused-by": cause} if cause else {}
    evidence = [("evidence", file) for file in result.evidence]
    for name, value in [*said.items(), *result.measured.items(), *evidence]:
        xml.SubElement(properties, "property", name=name, value=_clean(str(value)))
    if element:
        attributes = {} if element == "system-out" else {"message": _clean(_headline(result))}
        xml.SubElement(case, element, attributes).text = _clean(_details(result))
    return case


def _headline(result: CheckResult) -> str:
    if result.verdict == Verdict.FAIL:
        return f"not so: {result.claim}"
    return result.message.partition("\n")[0]


def _details(result: CheckResult) -> str:
    offenders = [
        "\n".join(
            [*group.objects, f"  expected: {group.expected}", *(f"  observed: {o}" for o in group.observed)]
        )
        for group in grouped(result.offenders)
    ]
    hint = [f"hint: {result.hint}"] if result.verdict == Verdict.FAIL else []
    return "\n".join([*([result.message] if result.message else []), *offenders, *hint])


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("�", text)
