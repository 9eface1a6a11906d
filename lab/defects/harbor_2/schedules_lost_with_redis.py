"""Redis was emptied, or restored from an old copy: the database has all schedules, and none fires."""

from lab.defects import Defect, Lab, jobs_in_redis


def _empty(lab: Lab) -> None:
    for key in (("period", "policies"), ("scheduled",)):
        jobs_in_redis.send("DEL", jobs_in_redis.key(*key))


DEFECT = Defect(
    report="h#18836: 217 of 250 schedules were missing in Redis",
    shows="nothing: the page lists every schedule, health is healthy, a garbage collection by hand works",
    turns_red=frozenset({"jobs.schedules-in-redis"}),
    # It fires no more, which is seen a minute later.
    may_turn_red=frozenset({"jobs.schedules-fire"}),
    hint_says=("rollout restart", "period:policies"),
    not_applicable=frozenset({"jobs.schedules-have-scores-of-their-own"}),
    plant_outside=_empty,
    heal_outside=jobs_in_redis.restart_jobservices,
)
