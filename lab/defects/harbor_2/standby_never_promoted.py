"""The standby carries Patroni's tag nofailover, as one for reports does: it follows, and never takes over."""

from lab.defects import Defect, Lab, jobs_in_redis
from lab.stores import postgresql


def _promote(lab: Lab) -> None:
    postgresql.allow_promotion(True)
    # What was due while nobody took over never fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="Patroni: tags.nofailover; seen where the file of a standby for reports was copied",
    shows="nothing, until the primary is lost: nobody takes over, and every write fails until it is back",
    turns_red=frozenset({"failover.database-hang", "failover.database-kill"}),
    hint_says=("patronictl list", "nofailover"),
    plant_outside=lambda lab: postgresql.allow_promotion(False),
    heal_outside=_promote,
)
