"""The network of one replica is bad."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-network-loss",
    hint="Slow and lossy is not dead: connections stay, and no probe fails. Requests that fail: time-outs that are "
    "shorter than what a replica behind a bad network needs. Nothing lost is what counts here; if only some clients "
    "suffer, take the replica out of its Service.",
    source="TCP: retransmission; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_packets_of_a_web_replica_get_lost(experiments: Experiments, measured):
    """While one packet in ten of a web replica gets lost, clients get by, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.network_loss(Role.WEB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.registry-network-slowness",
    hint="Slow and lossy is not dead: connections stay, and no probe fails. Requests that fail: time-outs that are "
    "shorter than what a replica behind a bad network needs. Nothing lost is what counts here; if only some clients "
    "suffer, take the replica out of its Service.",
    source="Budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_the_way_to_a_registry_replica_is_slow(experiments: Experiments, measured):
    """While the way to a registry replica is slow, clients get by, and no acknowledged push is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.network_slowness(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()
