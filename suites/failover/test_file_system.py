"""The file system under the volumes is away for a moment."""

from harbor_verify.checks import check
from harbor_verify.disruptions.machine_control import FILE_SYSTEM
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Feature


@check(
    "failover.file-system-restart",
    hint="Pushes lost: what was acknowledged had not been written. Requests that fail: the registry's storage health "
    "check took it out (`health.storagedriver`), or a liveness probe restarted all replicas at once. A standby of "
    "the metadata server (CephFS: max_mds, standby_count_wanted) makes it shorter.",
    requires=(Feature.IMAGES_ON_VOLUMES,),
    source="CephFS: MDS failover; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_no_push_is_lost_when_the_file_system_is_restarted(experiments: Experiments, measured):
    """When the metadata server of the file system is restarted, requests wait for a while at most, and no push is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.server_restart(FILE_SYSTEM)
    measured.update(survival.measured)
    survival.require()
