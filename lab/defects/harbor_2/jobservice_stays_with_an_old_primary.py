"""One jobservice has stayed with a Redis that was primary once: it takes jobs where nobody looks for them."""

import time
from functools import partial

from lab.defects import Defect, Lab, jobs_in_redis, old_primary
from lab.waiting import wait_until

_FORGOTTEN_S = 35
"""After so long it is not among those who beat lately."""


def _keep_one(lab: Lab) -> None:
    node, *_ = old_primary.nodes_with(lab, "jobservice")
    old_primary.keep(lab, "jobservice", node)
    beats = partial(
        old_primary.require_kept, jobs_in_redis.key("worker_pools"), database=jobs_in_redis.DATABASE
    )
    wait_until("a jobservice works with the old primary", beats, deadline_s=60, interval_s=1)
    time.sleep(_FORGOTTEN_S)


def _let_go(lab: Lab) -> None:
    old_primary.let_go(lab)
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="recorded on Harbor 2.15: after a failover each jobservice may stay with another Redis, health green",
    shows="nothing: jobs that this one was given are lost when its Redis is, and of the rest it runs none",
    turns_red=frozenset({"jobs.every-replica-at-work"}),
    hint_says=("kubectl rollout restart", "primary once"),
    takes=frozenset({old_primary.NAME}),
    plant_outside=_keep_one,
    heal_outside=_let_go,
)
