"""Replication rules, proxy caches and scanners, as somebody has written them into the database. None was recorded: the
forms are those of Harbor's api/v2.0.
"""

import json
from datetime import UTC, datetime

import pytest

from harbor_verify.clients.capabilities import Endpoint
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.profiles.harbor_2.api import Harbor2
from tests.contract.harbor_2.exchanges import USERS
from tests.contract.programs import HOST

ADMIN = Credentials("admin", USERS["admin"])


@pytest.fixture
def harbor(stack):
    return Harbor2(HttpClient("core-a", f"http://{HOST}:{stack['core-a'].port}", timeouts_s=(5, 20)))


def test_there_is_nothing_until_somebody_makes_it(harbor):
    assert [harbor.rules(ADMIN), harbor.endpoints(ADMIN), harbor.scanners(ADMIN)] == [[], [], []]
    assert not any(each.is_proxy for each in harbor.projects("", ADMIN).values())


def test_rules_and_their_runs_are_told(harbor, stack):
    stack.sql(
        "INSERT INTO registry (id, name, url, access_secret, type) VALUES (7, 'backup', 'https://b', '', 'harbor')"
    )
    trigger = json.dumps({"type": "scheduled", "trigger_settings": {"cron": "0 0 * * * *"}})
    stack.sql(
        "INSERT INTO replication_policy (id, name, dest_registry_id, trigger, update_time) "
        f"VALUES (3, 'nightly', 7, '{trigger}', '2026-11-01 00:00:00')"
    )
    for number, status in ((90, "Success"), (91, "Error"), (92, "Running")):
        stack.sql(
            "INSERT INTO execution (id, vendor_type, vendor_id, status, start_time, end_time) VALUES "
            f"({number}, 'REPLICATION', 3, '{status}', '2026-11-28 12:00:{number - 90:02}', "
            + ("NULL)" if status == "Running" else "'2026-11-28 12:01:00')")
        )
    stack.sql("UPDATE project SET registry_id = 7 WHERE name = 'library'")
    assert harbor.endpoints(ADMIN) == [Endpoint(7, "backup", "https://b", "healthy")]
    (rule,) = harbor.rules(ADMIN)
    assert (rule.name, rule.source, rule.target, rule.endpoint_ids) == (
        "nightly",
        "this Harbor",
        "backup",
        (7,),
    )
    assert (rule.enabled, rule.cron, rule.changed) == (True, "0 0 * * * *", datetime(2026, 11, 1, tzinfo=UTC))
    runs = harbor.runs_of(rule, ADMIN)
    assert [(run.id, run.status, bool(run.ended)) for run in runs] == [
        (92, "InProgress", False),
        (91, "Failed", True),
        (90, "Succeed", True),
    ]
    assert harbor.projects("library", ADMIN)["library"].upstream_id == 7


def test_a_scanner_is_asked_by_harbor(harbor, stack):
    stack.sql(
        "INSERT INTO scanner_registration (uuid, url, name) VALUES ('u-1', 'http://127.0.0.1:1', 'Trivy')"
    )
    (scanner,) = harbor.scanners(ADMIN)
    assert (scanner.id, scanner.name, scanner.disabled) == ("u-1", "Trivy", False)
    with pytest.raises(UnexpectedAnswer) as refused:
        harbor.scanner_database(scanner, ADMIN)
    assert refused.value.status == 500
