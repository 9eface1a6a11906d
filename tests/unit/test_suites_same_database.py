"""Whether job replicas are connected to the database of the web replicas: judged on evidence that was doctored."""

from types import SimpleNamespace

import pytest

from harbor_verify import running_replicas
from harbor_verify.errors import CannotTell, NotApplicable, ProgramMissing
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import Database
from suites.jobs import test_same_database as module
from tests.unit.running import examine, not_applicable, offenders_of

CHECK = module.test_whoever_runs_jobs_is_connected_to_the_database_of_the_web
DATABASE = Database("postgresql", "db.example.com", 5432, "harbor", "hush", "registry")
NEW, OLD, REDIS = "0500060A:1538", "0900060A:1538", "0700060A:18EB"
"""10.6.0.5:5432, 10.6.0.9:5432, and a Redis."""


@pytest.fixture
def look(monkeypatch):
    """A Harbor of what each replica is connected with (several lists: look by look), and what the host leads to."""
    monkeypatch.setattr(module, "_SETTLES_S", 0.01)
    monkeypatch.setattr(module, "_EVERY_S", 0.02)

    def made(jobs, webs=((NEW, REDIS),), named=(), host_network=False):
        seen = {Role.JOB: [], Role.WEB: []}
        for role, of_role in ((Role.JOB, jobs), (Role.WEB, webs)):
            for number, ends in enumerate(of_role):
                pod, name = (
                    SimpleNamespace(spec=SimpleNamespace(host_network=host_network)),
                    role.name.lower(),
                )
                replica = {
                    "object": f"pod {name}-{number}",
                    "running": ends is not None,
                    "pod": pod,
                    "ends": ends,
                }
                seen[role].append(SimpleNamespace(**replica))

        def output_of(harbor, replica, argv):
            if argv[0] == "getent":
                if isinstance(named, Exception):
                    raise named
                return "".join(f"{address} STREAM db.example.com\n" for address in named)
            if isinstance(replica.ends, Exception):
                raise replica.ends
            ends = replica.ends.pop(0) if isinstance(replica.ends, list) else replica.ends
            return "".join(f"  1: 0A00000A:B1C4 {end} 01 00000000:00000000\n" for end in ends)

        monkeypatch.setattr(running_replicas, "output_of", output_of)
        return SimpleNamespace(database=lambda: DATABASE, replicas=seen.__getitem__)

    return made


def offenders(harbor):
    return offenders_of(CHECK, harbor, not_applicable, {})


def test_one_that_is_connected_to_another_database_is_named_with_both(look):
    (offender,) = offenders(look([(NEW, REDIS), (OLD,)]))
    assert offender.object == "pod job-1"
    assert offender.observed == "it is connected to 10.6.0.9:5432, and web replicas to 10.6.0.5:5432"


@pytest.mark.parametrize(
    "jobs, connected",
    [([(NEW,)], 1), ([(NEW, REDIS), ()], 1), ([(NEW, NEW), (NEW, OLD)], 2), ([None, (NEW,)], 1)],
)
def test_all_is_well_with_the_database_of_the_web(look, jobs, connected):
    """None: it does not run."""
    measured = {}
    examine(CHECK, look(jobs, webs=[None, (NEW,)]), not_applicable, measured)
    assert measured == {"connected_job_replicas_count": connected}


def test_what_is_left_behind_while_it_settles_is_looked_at_again(look):
    examine(CHECK, look([[(OLD,), (NEW,)]]), not_applicable, {})


def test_a_host_may_lead_to_several_addresses(look):
    examine(CHECK, look([(OLD,)], named=("10.6.0.5", "10.6.0.9")), not_applicable, {})


def test_where_the_hosts_own_address_is_nobodys_all_may_be_behind_it(look):
    """As where Cilium chooses a Service's pod before a connection is made."""
    with pytest.raises(CannotTell, match=r"neither is what db\.example\.com leads to \(10\.96\.7\.7:5432\)"):
        examine(CHECK, look([(OLD,)], named=("10.96.7.7",)), not_applicable, {})
    assert offenders(look([(OLD,)], named=("10.6.0.5",)))


@pytest.mark.parametrize("missing", [ProgramMissing("no getent"), CannotTell("exit code 2")])
def test_where_names_cannot_be_looked_up_the_web_alone_says_what_is_right(look, missing):
    examine(CHECK, look([(NEW,)], named=missing), not_applicable, {})
    assert offenders(look([(OLD,)], named=missing))


@pytest.mark.parametrize("jobs, host_network", [([(), (REDIS,)], False), ([(OLD,)], True)])
def test_whoever_has_no_connection_of_its_own_says_nothing(look, jobs, host_network):
    with pytest.raises(NotApplicable, match="no job replica has a connection to port 5432"):
        examine(CHECK, look(jobs, host_network=host_network), not_applicable, {})


def test_where_no_web_replica_is_seen_connected_nobody_knows_what_is_right(look):
    with pytest.raises(CannotTell, match="no web replica has a connection to port 5432"):
        examine(CHECK, look([(OLD,)], webs=[(REDIS,)]), not_applicable, {})


def test_without_a_program_to_look_with_it_is_blocked(look):
    with pytest.raises(ProgramMissing):
        examine(CHECK, look([ProgramMissing("no sh")]), not_applicable, {})
