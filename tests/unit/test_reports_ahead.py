"""What lies ahead, in report.html: of what checks have listed, and of nothing else."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from harbor_verify.reports import html_file, json_file
from harbor_verify.reports.ahead import ahead
from harbor_verify.reports.model import CheckResult, Run, Verdict

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)
GIB = 2**30
EVIL = "<script>alert(1)</script>"


def a_run(at=NOW, measured=None, **listed):
    given = {"claim": "c.", "hint": "h", "source": "s", "duration_s": 1.0}
    run = Run(f"{at:%Y%m%d-%H%M%S}", at, "existing", "https://h", "harbor", "harbor-2", ["Harbor"])
    run.results = [
        CheckResult(
            id="capacity.volumes-have-room",
            area="capacity",
            verdict=Verdict.PASS,
            started=at,
            measured=measured or {},
            listed=listed,
            **given,
        )
    ]
    run.selected = [result.id for result in run.results]
    run.finished = at + timedelta(minutes=1)
    return run


def volume(name="registry", used=60, left=40, **more):
    return {"what": name, "used_bytes": used * GIB, "left_bytes": left * GIB, "full_percent": 85, **more}


def end(what, days, kind="certificate", least=7):
    return {"what": what, "kind": kind, "at": (NOW + timedelta(days=days)).isoformat(), "least_days": least}


@pytest.fixture
def keep(tmp_path):
    def kept(run):
        folder = tmp_path / run.id
        folder.mkdir()
        json_file.write(run, folder / "report.json")
        return folder

    return kept


def test_a_run_that_has_listed_nothing_has_no_such_section(keep):
    run = a_run()
    folder = keep(run)
    assert not ahead(run, folder)
    assert 'id="ahead"' not in html_file.document(run, folder)


def test_what_is_listed_comes_back_from_report_json(keep):
    run = a_run(volumes=[volume()], ends=[end("a", 3)])
    assert json_file.read(keep(run) / "report.json") == run


def test_a_report_from_before_there_were_lists_is_read(keep):
    run = a_run()
    file = keep(run) / "report.json"
    file.write_text(re.sub(r'\n\s*"listed": {},', "", file.read_text()))
    assert json_file.read(file).results[0].listed == {}


def test_looks_of_earlier_runs_lead_to_this_one(keep):
    for days in (3, 2, 1):
        keep(a_run(NOW - timedelta(days=days), {"registry_used_bytes": (50 + days) * GIB, "lasts": 1}))
    run = a_run(volumes=[volume(lasts_days=12.0), volume("new", 1, 99)])
    folder = keep(run)
    registry, new = ahead(run, folder).volumes
    assert [used / GIB for _, used in registry.looks] == [53, 52, 51, 60]
    assert (registry.is_watched, registry.percent, registry.is_too_full) == (True, 60, False)
    assert (new.is_watched, len(new.looks)) == (False, 1)
    page = html_file.document(run, folder)
    assert 'aria-label="How much of each volume is used, over time"' in page
    assert "12\u00a0days" in page
    assert "too few runs yet" in page
    assert "does not grow" not in page


def test_a_first_run_has_a_table_and_no_plot(keep):
    run = a_run(volumes=[volume(used=90, left=10, inodes_percent=None)])
    page = html_file.document(run, keep(run))
    assert "over time" not in page
    assert re.search(r'class="number bad"[^>]*>90 %', page)


def test_space_is_too_little_by_inodes_too(keep):
    run = a_run(volumes=[volume(inodes_percent=91.0)])
    (found,) = ahead(run, keep(run)).volumes
    assert found.is_too_full


def test_one_certificate_of_many_replicas_is_told_once_and_the_nearest_first(keep):
    run = a_run(
        ends=[
            end("core-0", 90),
            end("core-1", 90),
            end("core-1", 90),
            end("door", -2),
            end("x", 90, "robot account"),
        ]
    )
    found = ahead(run, keep(run))
    assert [(each.names, each.kind, round(each.days), each.is_near) for each in found.ends] == [
        (("door",), "certificate", -2, True),
        (("core-0", "core-1"), "certificate", 90, False),
        (("x",), "robot account", 90, False),
    ]


def test_of_many_ends_the_next_are_shown_and_all_are_counted(keep):
    run = a_run(ends=[end(f"r{days}", days) for days in range(40, 0, -1)])
    folder = keep(run)
    found = ahead(run, folder)
    assert (found.ends[0].names, len(found.ends), found.ends_count) == (("r1",), 12, 40)
    assert "the next 12 of 40" in html_file.document(run, folder)


def test_what_ended_and_what_ends_are_in_days(keep):
    run = a_run(ends=[end("gone", -3.5), end("today", 0.2), end("old", 3650)])
    page = html_file.document(run, keep(run))
    for words in ("4\u00a0days ago", "less than a day", "10\u00a0years"):
        assert words in page


def test_schedules_of_two_checks_are_one_row_and_what_is_wrong_stands_first(keep):
    told = [
        {"what": "s1", "cron": "0 0 2 * * *", "redis_cron": "0 0 2 * * *"},
        {"what": "s2", "cron": "0 0 3 * * *", "redis_cron": ""},
        {"what": "s3", "cron": "0 0 4 * * *", "redis_cron": "0 0 4 * * *"},
        {
            "what": "s1",
            "cron": "0 0 2 * * *",
            "due": "2026-11-28T02:00:00+00:00",
            "fired": "2026-11-28T02:00:01+00:00",
        },
        {"what": "s3", "cron": "0 0 4 * * *", "due": "2026-11-27T04:00:00+00:00", "fired": "", "next": ""},
    ]
    run = a_run(schedules=told)
    found = ahead(run, keep(run)).schedules
    assert [(each.name, each.differs, each.is_missed) for each in found] == [
        ("s2", True, False),
        ("s3", False, True),
        ("s1", False, False),
    ]


def test_names_of_other_peoples_things_do_no_harm(keep):
    run = a_run(
        volumes=[volume(EVIL), volume("b")],
        ends=[end(EVIL, 3)],
        schedules=[{"what": EVIL, "cron": EVIL, "redis_cron": EVIL}],
    )
    keep(a_run(NOW - timedelta(days=2), {f"{EVIL}_used_bytes": 5}))
    assert EVIL not in html_file.document(run, keep(run))
