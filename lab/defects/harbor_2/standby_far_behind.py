"""No commit waits for the standby, which has received nothing for minutes, and Patroni may promote it all the same."""

from lab.defects import Defect, Lab, jobs_in_redis
from lab.stores import postgresql


def _starve(lab: Lab) -> None:
    postgresql.wait_for_standby(False)
    postgresql.starve_standby(True)


def _feed(lab: Lab) -> None:
    postgresql.starve_standby(False)
    postgresql.wait_for_standby(True)
    # What was lost may have been that a schedule has fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="Patroni: maximum_lag_on_failover without synchronous_mode; a standby behind a slow link",
    shows="nothing, until the primary is lost: accounts, projects and pushes of the last minutes are gone",
    turns_red=frozenset({"durability.database-commits-are-kept", "failover.database-kill"}),
    hint_says=("synchronous_mode",),
    plant_outside=_starve,
    heal_outside=_feed,
    alone=True,  # the run's own accounts and projects are lost with the primary
)
