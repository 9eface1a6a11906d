"""report.html: whole in one file, true to the run, and never a reason for a run to fail."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from harbor_verify.checkers.latency import latency
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.checkers.proportion import bad_answers
from harbor_verify.history import NotAHistory, judged, read
from harbor_verify.reports import folder, html_file, json_file
from harbor_verify.reports.model import CheckResult, Offender, Run, Verdict

START = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
EVIL = '<script>alert("x")</script>'
SECOND_NS = 1_000_000_000
HEAD = {
    "type": "history",
    "schema": "harbor-verify/history/1",
    "run": "r",
    "began": "2026-11-24T02:30:00+00:00",
}


def result(id, verdict=Verdict.PASS, **given):
    given = {"claim": f"{id} holds.", "hint": f"mend {id}", "source": "s", "duration_s": 1.0, **given}
    return CheckResult(id=id, area=id.partition(".")[0], verdict=verdict, started=START, **given)


def a_run(*results, **given):
    run = Run("r1", START, "lab", "http://h", "harbor", "harbor-2", ["Harbor: http://h"], **given)
    run.results = list(results)
    run.selected += [result.id for result in results]
    run.finished, run.exit_code = START.replace(second=45), 1
    return run


def history(count=40, *, lost=(5, 6), client="login@front-door"):
    """A pod is killed after 2 s, and replaced after 4; an operation each 200 ms."""
    lines = [HEAD]

    def event(at_s, subject, name, **value):
        lines.append(
            {
                "type": "event",
                "at_ns": int(at_s * SECOND_NS),
                "subject": subject,
                "name": name,
                "value": value,
            }
        )

    event(0.1, "web", "pod-created", uid="a", pod="web-aa", replica="web-0")
    event(0.1, "web", "pod-ready", uid="a")
    event(0.4, "pod-kill web-0", "inject", workload="web", uid="a")
    event(0.5, "web", "endpoint-removed", uid="a", service="web")
    event(0.6, "web", "pod-created", uid="b", pod="web-bb", replica="web-0")
    event(2.0, "web", "pod-ready", uid="b", pod="web-bb", replica="web-0")
    event(5.0, "pod-kill web-0", "healed")
    for index in range(count):
        at_ns = index * SECOND_NS // 5
        begun = {"type": "invoke", "index": index, "at_ns": at_ns, "client": client, "kind": "login"}
        lines.append({**begun, "replica": "front-door", "value": {}})
        came_to = ("fail", "info")[index % 2] if index in lost else "ok"
        ended = {"type": came_to, "index": index, "at_ns": at_ns + SECOND_NS // 50}
        lines.append(ended if came_to == "ok" else {**ended, "error": f"Refused {EVIL}"})
    return "".join(json.dumps(line) + "\n" for line in lines)


def with_history(tmp_path, id, text):
    place = tmp_path / "checks" / id
    place.mkdir(parents=True)
    file = place / "history.jsonl"
    file.write_text(text)
    try:
        recorded = read(file)
    except NotAHistory:
        return
    clients = list(dict.fromkeys(op.client for op in recorded.operations))
    judgements = (
        longest_outage(recorded, clients=clients, budget_ms=1e6),
        bad_answers(recorded, clients=clients, outage_budget_ms=1e6, flapping_budget_percent=25),
        latency(recorded, clients=clients),
    )
    judged.write(place / judged.FILE, [judgement.document() for judgement in judgements])


class Page(HTMLParser):
    """Tags that are opened, and what their attributes would load or lead to."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.ids, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [given[name] for name in ("src", "href", "xlink:href") if name in given]
        self.ids += [given["id"]] if "id" in given else []

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def test_the_page_tells_verdict_failures_with_hint_and_every_check(tmp_path):
    offenders = (Offender("pod a/b", "Ready", "CrashLoopBackOff"),)
    run = a_run(
        result("storage.a"),
        result("sessions.b", Verdict.FAIL, offenders=offenders),
        result("sessions.c", Verdict.ERROR, message="redis was away"),
        result("access.d", Verdict.BLOCKED, message="needs docker"),
        result("x.y", Verdict.NOT_APPLICABLE, message="harbor-2 has no y"),
        selected=["x.not-run"],
        left_behind=["project verify-x"],
        environment={"harbor": "v2.12.4", "nodes": [{"name": "node-1", "kubelet": "v1.30.4"}, "odd"]},
    )
    text = Page(html_file.document(run, tmp_path)).text
    for told in (
        "not highly available: 1 check failed",
        "CrashLoopBackOff",
        "mend sessions.b",
        "redis was away",
        "needs docker",
        "x.not-run",
        "harbor-2 has no y",
        "project verify-x",
        "v2.12.4",
        "v1.30.4",
    ):
        assert told in text, told


def test_nothing_is_loaded_from_anywhere_and_links_stay_in_the_page_or_folder(tmp_path):
    with_history(tmp_path, "failover.a", history())
    (tmp_path / "checks" / "failover.a" / "seen page.png").write_bytes(b"\x89PNG")
    files = ("checks/failover.a/history.jsonl", "checks/failover.a/seen page.png")
    text = html_file.document(a_run(result("failover.a", evidence=files)), tmp_path)
    page = Page(text)
    assert "script" not in page.tags
    assert not [tag for tag in page.tags if tag in ("link", "iframe", "object")]
    for address in page.addresses:
        assert re.match(r"#|data:image/png;base64,|checks/|report\.json|junit\.xml", address), address
    assert "checks/failover.a/seen%20page.png" in page.addresses
    assert not re.search(r"url\((?!#)|@import", text)
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_a_disruption_is_drawn_with_its_outage_in_the_pages_own_colours(tmp_path):
    with_history(tmp_path, "failover.a", history())
    text = html_file.document(a_run(result("failover.a", measured={"outage_ms": 600.0})), tmp_path)
    plot = text[text.index('<svg class="plot"') :]
    plot = plot[: plot.index("</svg>")]
    assert "var(--fail)" in plot
    assert "var(--unknown)" in plot
    assert not re.search(r"#[0-9a-f]{6}\b(?!\w)", re.sub(r'(id|href)="[^"]*"|url\(#\w+\)', "", plot))
    assert ">pod-kill web-0</text>" in plot
    page = Page(text).text
    # From the first that failed, at 1 s (600 ms after the injection), to the next good answer, at 1.42 s.
    assert "login@front-door420 ms600 ms2" in page
    assert "+1 600 mspod web-bb (web-0) is Ready" in page


def test_what_is_drawn_is_what_was_judged_and_nothing_is_judged_again(tmp_path):
    with_history(tmp_path, "failover.a", history())
    file = tmp_path / "checks" / "failover.a" / judged.FILE
    document = json.loads(file.read_text())
    for judgement in document["judgements"]:
        for client in judgement["evidence"].get("clients", {}).values():
            if judgement["checker"] == judged.OUTAGES:
                client["outages"][0].update(from_ns=SECOND_NS, to_ns=SECOND_NS * 9 // 4)
            else:
                client.update(flapping_percent=47.0, last_bad_ms=54_321.0)
    file.write_text(json.dumps(document))
    text = html_file.document(a_run(result("failover.a")), tmp_path)
    assert "1\u202f250 ms</text>" in text
    assert "login@front-door1 250 ms600 ms2" in Page(text).text
    assert "47 %" in Page(text).text
    file.unlink()
    assert "Not judged" in Page(html_file.document(a_run(result("failover.a")), tmp_path)).text


def test_whatever_is_in_a_run_is_text_in_the_page(tmp_path):
    with_history(tmp_path, "failover.a", history(client=f"{EVIL}$x$@{EVIL}"))
    run = a_run(
        result(
            "failover.a",
            Verdict.FAIL,
            claim=EVIL,
            hint=EVIL,
            message=EVIL,
            offenders=(Offender(EVIL, EVIL, EVIL),),
            evidence=(f"checks/{EVIL}",),
            measured={EVIL: EVIL},
        ),
        environment={"workloads": [{"name": EVIL, "images": [EVIL]}], "stores": {EVIL: EVIL}},
        notes=[EVIL],
    )
    text = html_file.document(run, tmp_path)
    assert "script" not in Page(text).tags
    assert "<script" not in text


@pytest.mark.parametrize("text", ["", "{}", "\x00\xff", json.dumps(HEAD) + "\n", history()[:-30]])
def test_a_history_that_is_damaged_is_told_and_stops_nothing(tmp_path, text):
    with_history(tmp_path, "failover.a", text)
    page = Page(html_file.document(a_run(result("failover.a")), tmp_path)).text
    assert "cannot be drawn" in page or "no disruption" in page or "is incomplete" in page


def test_a_report_that_cannot_be_drawn_is_told_and_stops_no_run(tmp_path, monkeypatch):
    def fail(run, place):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(html_file, "write", fail)
    run = a_run(result("a.b"))
    folder.write(run, tmp_path)
    assert "on purpose" in run.notes[0]
    assert json_file.read(tmp_path / "report.json").notes == run.notes
    assert (tmp_path / "junit.xml").is_file()


def test_each_run_has_its_page(tmp_path):
    place = folder.make(tmp_path, START)
    run = a_run(result("a.b"))
    folder.write(run, place)
    assert "Everything that was checked holds" in (tmp_path / "latest" / "report.html").read_text()
    assert run.notes == []
