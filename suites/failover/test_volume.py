"""The volume that images are on is full."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Feature


@check(
    "failover.volume-full",
    hint="A push that was acknowledged and is lost: the registry does not wait until what it takes is written, or "
    "something in front acknowledges for it. Pulls or logins that fail: the {registry}'s health check or a probe "
    "writes to the volume and takes every replica out, or the database or session store shares it. Pushes that fail "
    "when there is room again: a replica still holds that the volume is full, or did not come back.",
    source="distribution: file system driver, health.storagedriver; write(2), ENOSPC and EDQUOT; budgets are settings",
    requires=(Feature.IMAGES_ON_VOLUMES,),
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_only_pushes_suffer_while_the_volume_of_images_is_full(experiments: Experiments, measured):
    """While the volume of images is full, pulls, logins and sessions go on, and no push is acknowledged that is lost;
    once there is room, pushes go on.

    Source: budgets are settings; no loss is within any budget. That pushes are refused meanwhile is not judged.
    """
    survival = experiments.volume_full()
    measured.update(survival.measured)
    survival.require()
