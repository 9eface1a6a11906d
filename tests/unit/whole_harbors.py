"""What every check that reads nothing but objects of the API says of a deployment, without any Harbor running."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harbor_verify import checks
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable
from harbor_verify.facts import Facts, gathering
from harbor_verify.model.configuration import given_files
from harbor_verify.model.discovery import Deployment, discover
from harbor_verify.model.environment import environment_of
from harbor_verify.target import Target
from harbor_verify.verdict import Failure
from suites.configuration import (
    test_disruption_budgets,
    test_registry_configuration,
    test_replicas,
    test_restarts,
    test_rollouts,
    test_secret_key,
    test_services,
    test_session_store,
    test_stores_spread,
    test_way_in,
    test_zones,
)
from suites.database import test_servers
from suites.sessions import test_servers as test_session_servers
from suites.storage import test_binding, test_claims, test_mounts, test_volumes
from suites.storage import test_servers as test_storage_servers
from tests.unit.containers import answer
from tests.unit.running import blocked, examine, not_applicable
from tests.unit.small_cluster import NAMESPACE, small_cluster

_SUITES = Path(__file__).parents[2] / "suites"
_OF_THE_API = (
    test_replicas.test_every_part_has_the_replicas_that_it_needs_and_all_are_ready,
    test_replicas.test_the_replicas_of_a_part_are_on_several_nodes,
    test_restarts.test_containers_stay_up,
    test_rollouts.test_every_change_of_a_workload_has_reached_all_of_its_pods,
    test_disruption_budgets.test_a_drain_cannot_evict_all_replicas_of_a_part,
    test_services.test_a_service_leads_to_every_ready_replica_and_to_nothing_else,
    test_session_store.test_every_web_replica_is_given_the_same_session_store,
    test_secret_key.test_the_secret_key_is_nobody_elses_and_the_same_on_every_web_replica,
    test_registry_configuration.test_registry_config_is_mounted_where_it_is_read,
    test_registry_configuration.test_registry_keeps_images_on_a_volume,
    test_way_in.test_what_clients_come_in_by_is_more_than_one_pod,
    test_servers.test_the_database_stands_on_more_than_one_server,
    test_session_servers.test_sessions_are_kept_on_more_than_one_server,
    test_session_servers.test_sentinels_can_elect_a_primary_when_one_of_them_is_lost,
    test_claims.test_every_claim_that_harbor_uses_is_bound,
    test_binding.test_a_claim_is_bound_to_the_volume_that_it_asks_for_and_to_no_other_claims,
    test_volumes.test_a_claim_of_several_replicas_can_be_shared,
    test_volumes.test_a_claim_gets_the_capacity_that_it_asks_for,
    test_volumes.test_a_volume_outlives_its_claim,
    test_mounts.test_a_claim_is_mounted_and_writable_in_every_replica,
    test_zones.test_the_replicas_of_a_part_are_in_several_zones,
    test_stores_spread.test_the_pods_of_a_store_are_on_several_nodes,
    test_storage_servers.test_what_is_stored_stands_on_more_than_one_server,
)


@dataclass
class Verdicts:
    """By the id of a check: `red` are the objects that are named, the others why there is no verdict.

    What is in none of them has passed.
    """

    red: dict[str, set[str]] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


@contextmanager
def harbor_of(text: str, release: str | None = None, **how: Any) -> Iterator[tuple[Target, Facts]]:
    """The Harbor of a text of YAML, and its facts. Commands in its pods see what the pods' own specification says.

    `how`: as small_cluster takes it.
    """
    with small_cluster(text, **how) as kubernetes:
        access = SimpleNamespace(
            kubernetes=kubernetes, namespace=NAMESPACE, url="https://h", credentials=Credentials("admin", "x")
        )
        settings = SimpleNamespace(
            connect_timeout_s=0.01,
            request_timeout_s=0.01,
            converge_timeout_s=0.01,
            timeouts_s=(1, 1),
            database_address=None,
            session_store_address=None,
        )
        target = Target(access, discover(kubernetes, NAMESPACE, release=release), settings)
        answers = SimpleNamespace(version=lambda login: "v2", authentication_mode=lambda: "db_auth")
        vars(target).update(front_door=answers, run=partial(run_as_specified, target.deployment))
        yield target, gathering.facts_of(target)


def verdicts_on(target: Target, facts: Facts) -> Verdicts:
    """Every check of the API's objects; those that the deployment has nothing for are not run, as in a real run."""
    verdicts = Verdicts()
    for test in _OF_THE_API:
        id = test.check.id
        if lacking := test.check.lacking(facts.present):
            verdicts.not_applicable[id] = f"has no {lacking[0]}"
            continue
        try:
            _examine(test, target, facts)
        except Failure as failure:
            verdicts.red[id] = {each.object for each in failure.offenders}
        except NotApplicable as reason:
            verdicts.not_applicable[id] = str(reason)
        except NeedMissing as reason:
            verdicts.blocked[id] = str(reason)
        except CannotTell as reason:
            verdicts.unknown[id] = str(reason)
    return verdicts


def lacking(facts: Facts) -> dict[str, list[str]]:
    """The checks of all suites that a deployment has nothing for, by id, with what it lacks."""
    for file in sorted(_SUITES.rglob("test_*.py")):
        importlib.import_module(".".join(file.relative_to(_SUITES.parent).with_suffix("").parts))
    return {id: missing for id, check in checks.every().items() if (missing := check.lacking(facts.present))}


def _examine(test: Any, target: Target, facts: Facts) -> None:
    fixtures = {
        "harbor": target,
        "facts": facts,
        "settings": target.settings,
        "need": _need,
        "blocked": blocked,
        "not_applicable": not_applicable,
        "request": None,
    }
    asked = inspect.signature(test).parameters
    examine(test, **{name: value for name, value in fixtures.items() if name in asked})


def _need(name: str) -> None:
    if name not in ("exec", "volumes"):
        raise NeedMissing(f"needs {name}")


def run_as_specified(
    deployment: Deployment, replica: Any, argv: list[str], *, container: str | None = None
) -> str:
    """As a registry that was started by its image, and a kernel that has mounted what was asked for."""
    own = next(
        each for each in replica.pod.spec.containers if each.name == (container or replica.container.name)
    )
    if argv == ["cat", "/proc/self/mounts"]:
        claims = {v.name for v in replica.pod.spec.volumes or () if v.persistent_volume_claim}
        table = ["overlay / overlay rw 0 0"]
        for mount in own.volume_mounts or ():
            table.append(
                f"server:/{mount.name} {mount.mount_path} {'nfs4' if mount.name in claims else 'tmpfs'} rw 0 0"
            )
        return "\n".join(table)
    if "cmdline" in argv[-1]:
        return "/usr/bin/registry\0serve\0/etc/registry/config.yml\0"
    if "readlink -f" in argv[-2]:
        return argv[-1]
    given = given_files(replica.pod.spec, own, deployment.config_map, deployment.secret)
    environment = environment_of(own, deployment.config_map, deployment.secret)
    return answer(argv, {file.path: file.text for file in given}, environment)
