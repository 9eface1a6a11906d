"""The object store that images are in is away for a moment."""

from harbor_verify.checks import check
from harbor_verify.disruptions.machine_control import OBJECT_STORE
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Feature


@check(
    "failover.object-store-restart",
    hint="Pushes lost: what was acknowledged had not been stored. Requests that go on failing: the registry's storage "
    "health check took it out (`health.storagedriver`), or a liveness probe restarted all replicas at once. Pulls that "
    "fail alone: clients are redirected, and the store's own address leads to one server only; more of its gateways "
    "behind one address make it shorter.",
    source="distribution: storage drivers, health.storagedriver; budgets are settings",
    requires=(Feature.OBJECT_STORE,),
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_no_push_is_lost_when_the_object_store_is_restarted(experiments: Experiments, measured):
    """When the gateway of the object store is restarted, pushes and pulls go on in time, and no push is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_restart(OBJECT_STORE)
    measured.update(survival.measured)
    survival.require()
