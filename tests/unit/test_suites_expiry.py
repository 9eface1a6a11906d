"""The checks of what ends: certificates that are shown, authorities, robot accounts."""

import socket
import ssl
import threading
from collections import defaultdict
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from kubernetes import client

from harbor_verify.clients.certificates import DER, ask_postgresql, shown_at
from harbor_verify.errors import CannotTell, NeedMissing, NoAnswer, NotApplicable
from harbor_verify.model.roles import RobotAccount
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.profiles import harbor_2
from harbor_verify.verdict import Failure
from suites.expiry import test_certificates as certificates
from suites.expiry import test_robots
from tests.unit.certificates import new_certificate
from tests.unit.running import examine, never, not_applicable, offenders_of

ENDING = certificates.test_no_certificate_in_use_is_about_to_end
STORES = certificates.test_certificates_of_database_and_session_store_stay_valid
AUTHORITIES = certificates.test_authorities_that_harbor_is_given_stay_valid
ROBOTS = test_robots.test_robot_accounts_that_were_made_to_last_do_not_end_unnoticed
SETTINGS = SimpleNamespace(
    certificate_days=30,
    last_days=7,
    robot_days=14,
    connect_timeout_s=2,
    database_address=None,
    session_store_address=None,
)
REACHED = dict.fromkeys(("database", "session-store"), True)


@pytest.fixture
def pem(tmp_path):
    """`pem(days)`: the text of a certificate, its own authority, with so many days left."""
    return lambda days, name="localhost": new_certificate(tmp_path / "made.pem", name, days=days).read_text()


@pytest.fixture
def serve(tmp_path):
    """`serve(days, postgresql=…)`: HOST:PORT of a server that shows a certificate with so many days left."""
    opened = []

    def served(days, *, postgresql=False, answer=b"S"):
        listening = socket.create_server(("127.0.0.1", 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(new_certificate(tmp_path / f"{len(opened)}.pem", "localhost", days=days))

        def show():
            accepted, _ = listening.accept()
            with accepted:
                if postgresql and accepted.recv(8):
                    accepted.sendall(answer)
                with suppress(OSError):
                    context.wrap_socket(accepted, server_side=True).close()

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        opened.append((listening, thread))
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield served
    for listening, thread in opened:
        thread.join(5)
        listening.close()


def harbor(*, parts=(), database="", redis="", files=None, tls="require"):
    """`parts`: what each of its replicas shows (PEM, or an exception); `database`, `redis`: HOST:PORT with TLS."""
    volume = client.V1Volume(name="f", secret=client.V1SecretVolumeSource(secret_name="given"))
    container = client.V1Container(
        name="c", volume_mounts=[client.V1VolumeMount(name="f", mount_path="/etc/trusted")]
    )
    spec = client.V1PodSpec(containers=[container], volumes=[volume])
    workload = SimpleNamespace(tls=True, name="core")
    replicas = [
        SimpleNamespace(
            object=f"pod h/{n}", ready=True, shows=each, workload=workload, pod=SimpleNamespace(spec=spec)
        )
        for n, each in enumerate(parts or [b""] * bool(files))
    ]

    def served_certificate(replica):
        if isinstance(replica.shows, Exception):
            raise replica.shows
        return x509.load_pem_x509_certificates(replica.shows.encode())[0].public_bytes(DER)

    return SimpleNamespace(
        url="http://h",
        settings=SETTINGS,
        served_certificate=served_certificate,
        database=lambda: Database(
            "postgresql", "db", 5432, user="u", password="hush", name="n", tls=tls if database else "disable"
        ),
        database_address=lambda: database,
        session_store=lambda: SessionStore("redis", 6379, "hush", 0, tls=bool(redis)),
        session_store_addresses=lambda: [redis],
        deployment=SimpleNamespace(
            workloads={"web": workload},
            replicas=lambda role: replicas,
            config_map=lambda name: None,
            secret=lambda name: files,
        ),
    )


def need(name):
    assert REACHED[name]


def test_certificates_with_months_left_are_well(serve, pem):
    measured = {}
    target = harbor(parts=[pem(300)], database=serve(200, postgresql=True), redis=serve(100))
    listed = defaultdict(list)
    examine(ENDING, target, SETTINGS, need, never, measured, listed)
    assert {each["kind"] for each in listed["ends"]} == {"certificate"}
    days = [datetime.fromisoformat(each["at"]) - datetime.now(UTC) for each in listed["ends"]]
    assert min(days).days == measured["shortest_certificate_days"]
    assert measured == {"shortest_certificate_days": 99}


def test_what_ends_within_days_is_named_wherever_it_is_shown(serve, pem):
    target = harbor(parts=[pem(3), pem(20)], database=serve(-1, postgresql=True), redis=serve(6))
    offenders = offenders_of(ENDING, target, SETTINGS, need, never, {})
    assert [each.object.split()[0] for each in offenders] == ["pod", "database", "Redis"]
    assert "in 2 days" in offenders[0].observed
    assert "expired on" in offenders[1].observed


def test_stores_that_end_within_weeks_are_advice(serve, pem):
    target = harbor(parts=[pem(20)], database=serve(20, postgresql=True))
    (offender,) = offenders_of(STORES, target, SETTINGS, need, never)
    assert offender.object == "database n at db:5432 as u"
    examine(STORES, harbor(redis=serve(31)), SETTINGS, need, never)


def test_a_part_that_shows_nothing_is_unknown():
    silent = NoAnswer("TLS to core-0: refused", sent=False)
    with pytest.raises(CannotTell, match="refused"):
        examine(ENDING, harbor(parts=[silent]), SETTINGS, need, never, {})


def test_a_store_that_cannot_be_reached_hides_nothing_that_is_wrong(serve, pem):
    def unreachable(name):
        raise NeedMissing(f"no way to the {name}")

    with pytest.raises(NeedMissing):
        examine(ENDING, harbor(parts=[pem(300)], database="db:1"), SETTINGS, unreachable, never, {})
    with pytest.raises(Failure):
        examine(ENDING, harbor(parts=[pem(3)], database="db:1"), SETTINGS, unreachable, never, {})


@pytest.mark.parametrize("check", [ENDING, STORES])
def test_without_tls_nothing_ends(check):
    more = [{}] if check is ENDING else []
    plain = harbor(tls="prefer")
    plain.deployment.workloads = {}
    with pytest.raises(NotApplicable, match="TLS"):
        examine(check, plain, SETTINGS, need, not_applicable, *more)


def test_a_database_without_tls_says_so(serve):
    host, port = serve(9, postgresql=True, answer=b"N").split(":")
    with pytest.raises(NoAnswer, match="does not speak TLS"):
        shown_at(host, int(port), timeout_s=2, first=ask_postgresql)


def test_an_authority_that_ends_is_named_with_its_file(pem):
    (offender,) = offenders_of(AUTHORITIES, harbor(files={"ca.crt": pem(12)}), SETTINGS, never)
    assert offender.object == "Secret given (/etc/trusted/ca.crt of core)"
    assert "in 11 days" in offender.observed


def test_authorities_that_stay_or_have_a_successor_in_the_file_are_well(pem):
    for text in (pem(100), pem(12) + pem(400)):
        listed = defaultdict(list)
        examine(AUTHORITIES, harbor(files={"ca.crt": text}), SETTINGS, never, listed)
        assert {each["kind"] for each in listed["ends"]} == {"authority"}
    with pytest.raises(Failure):
        examine(AUTHORITIES, harbor(files={"ca.crt": pem(12) + pem(400, "another")}), SETTINGS, never)


def test_files_without_an_authority_are_passed_over():
    with pytest.raises(NotApplicable):
        examine(AUTHORITIES, harbor(files={"tls.key": "hush"}), SETTINGS, not_applicable)


def robot(*, made_for, left, disabled=False):
    now = datetime.now(UTC)
    ends = now + timedelta(days=left) if left is not None else None
    made = (ends or now) - timedelta(days=made_for)
    return RobotAccount("builds", "team", made, ends, disabled)


@pytest.fixture
def known(monkeypatch):
    """`known(robots)`: a Harbor whose database knows these."""

    def made(*robots):
        @contextmanager
        def database(target):
            yield None

        monkeypatch.setattr(test_robots, "harbors_database", database)
        return SimpleNamespace(profile=SimpleNamespace(robots=lambda sql: list(robots)))

    return made


def test_robots_with_weeks_left_are_well(known):
    listed = defaultdict(list)
    examine(ROBOTS, known(robot(made_for=90, left=15)), SETTINGS, never, {}, listed)
    (ends,) = listed["ends"]
    assert (ends["kind"], ends["least_days"]) == ("robot account", SETTINGS.robot_days)


@pytest.mark.parametrize("left, told", [(3.5, "in 3 days"), (-2.5, "2 days ago")])
def test_one_that_was_made_to_last_and_ends_is_named(known, left, told):
    (offender,) = offenders_of(ROBOTS, known(robot(made_for=30, left=left)), SETTINGS, never, {})
    assert offender.object == "robot account builds of project team"
    assert told in offender.observed


@pytest.mark.parametrize(
    "passed_over",
    [
        robot(made_for=1, left=0.5),
        robot(made_for=90, left=3, disabled=True),
        robot(made_for=90, left=-30),
        robot(made_for=90, left=None),
    ],
)
def test_those_that_are_to_end_or_ended_long_ago_are_passed_over(known, passed_over):
    with pytest.raises(NotApplicable):
        examine(ROBOTS, known(passed_over), SETTINGS, not_applicable, {})


def test_robots_are_read_as_the_database_has_them():
    made = datetime(2026, 1, 1)
    rows = [("builds", "team", made, 1798761600, False), ("all", None, made, -1, True)]
    lasting, endless = harbor_2.PROFILE.robots(SimpleNamespace(rows=lambda query: rows))
    assert (lasting.project, lasting.ends) == ("team", datetime(2027, 1, 1, tzinfo=UTC))
    assert (endless.project, endless.ends, endless.disabled) == ("", None, True)
