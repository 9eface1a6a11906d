"""The lab's PostgreSQL, as far as it can be judged without running it."""

import ipaddress
from pathlib import Path

import pytest
from cryptography import x509

from lab import settings
from lab.errors import DaemonDied
from lab.machines.machine import Machine
from lab.stores import postgresql
from lab.waiting import NotYet

PRIMARY = {"role": "master", "state": "running"}
STANDBY = {"role": "replica", "state": "running", "sync_standby": True}
FOLLOWS = "postgresql-2\tstreaming\tsync\n"


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """Two nodes that say what `cluster` holds: name → status, or an error; "followers" → the primary's answer."""
    said = {"postgresql-1": PRIMARY, "postgresql-2": STANDBY, "followers": FOLLOWS}

    def status(name: str) -> dict[str, object]:
        if isinstance(said[name], Exception):
            raise said[name]
        return said[name]

    def ask(name: str, statements: str) -> str:
        if "pg_stat_replication" in statements:
            return said["followers"]
        return "f\n" if status(name)["role"] in ("master", "primary") else "t\n"

    monkeypatch.setattr(postgresql, "status", status)
    monkeypatch.setattr(postgresql, "_ask", ask)
    monkeypatch.setattr(postgresql, "_must_run", lambda daemon: None)
    monkeypatch.setattr(postgresql, "_UNAWAITED", tmp_path / "unawaited")
    return said


def test_it_is_well_with_a_primary_and_a_standby_that_can_replace_it(cluster):
    assert postgresql.healthy() == "postgresql-1 is primary, postgresql-2 follows it synchronously"


@pytest.mark.parametrize(
    "change, seen",
    [
        ({"postgresql-1": {"role": "primary", "state": "starting"}}, "0 primaries"),
        ({"postgresql-1": ConnectionRefusedError("nobody there")}, "0 primaries: .*nobody there"),
        ({"postgresql-2": PRIMARY}, "2 primaries"),
        ({"postgresql-2": {"role": "uninitialized"}}, "postgresql-2 is uninitialized"),
        ({"followers": ""}, "does not follow postgresql-1: nothing does"),
        ({"followers": "postgresql-2\tcatchup\tasync\n"}, "catchup"),
        ({"followers": "postgresql-2\tstreaming\tasync\n"}, "async"),
        ({"postgresql-2": {**STANDBY, "sync_standby": False}}, "not yet known"),
    ],
)
def test_it_is_not_well_while_the_loss_of_a_node_would_lose_rows_or_stop_harbor(cluster, change, seen):
    cluster.update(change)
    with pytest.raises(NotYet, match=seen):
        postgresql.healthy()


def test_it_is_well_with_a_standby_that_nobody_waits_for_where_a_defect_has_it_so(cluster):
    postgresql._UNAWAITED.touch()
    cluster["followers"] = "postgresql-2\tstreaming\tasync\n"
    cluster["postgresql-2"] = {**STANDBY, "sync_standby": False}
    assert postgresql.healthy() == "postgresql-1 is primary, postgresql-2 follows it unawaited"


def test_a_node_that_does_not_run_is_named_with_the_end_of_its_log(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    with pytest.raises(DaemonDied, match=r"patroni-etcd does not run; the end of its log:\n\(no log\)"):
        postgresql.healthy()


@pytest.fixture
def configuration() -> dict:
    return postgresql.configuration("postgresql-2")


def test_patroni_has_time_to_try_again_before_its_node_is_replaced(configuration):
    dcs = configuration["bootstrap"]["dcs"]
    assert dcs["ttl"] >= dcs["loop_wait"] + 2 * dcs["retry_timeout"]


def test_what_was_acknowledged_outlives_the_primary_and_the_loss_of_the_standby_stops_nobody(configuration):
    dcs = configuration["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert "synchronous_mode_strict" not in dcs


def test_only_the_labs_addresses_are_let_in(configuration):
    lab = ipaddress.ip_network(settings.LAB_RANGE)
    for rule in configuration["postgresql"]["pg_hba"]:
        kind, _, _, *where, method = rule.split()
        if kind == "local":
            assert method == "peer"
        else:
            assert method == "scram-sha-256"
            assert where == ["samehost"] or ipaddress.ip_network(where[0]).subnet_of(lab)


def test_the_password_can_stand_in_a_url():
    assert set(postgresql.PASSWORD) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_who_asks_for_tls_is_shown_a_certificate_of_the_private_authority(
    configuration, tmp_path, monkeypatch
):
    parameters = configuration["postgresql"]["parameters"]
    assert parameters["ssl"] is True
    monkeypatch.setattr(settings, "STATE", tmp_path)
    monkeypatch.setattr(Machine, "run", lambda machine, *argv, **more: "")
    postgresql._show_certificate(tmp_path)
    names = [Path(parameters[each]).name for each in ("ssl_cert_file", "ssl_key_file")]
    certificate, key = (tmp_path / name for name in names)
    assert key.stat().st_mode & 0o077 == 0  # else PostgreSQL does not start
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    alternatives = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, alternatives.get_values_for_type(x509.IPAddress))
    assert settings.LOAD_BALANCER in addresses
