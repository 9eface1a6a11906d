"""The database's host was changed in core's settings; core was restarted for that, and jobservice, which asks core for
it when it starts, was not. (The old host leads to the same rows here: all else is as it should be.)
"""

import json

from lab import settings
from lab.defects import Defect, Lab, jobs_in_redis
from lab.defects.edit import Edit
from lab.deployment import rollout
from lab.stores import postgresql
from lab.waiting import NotYet, wait_until

_HOST = Edit(
    "harbor-core",
    "POSTGRESQL_HOST",
    lambda: settings.POSTGRESQL[postgresql.primary()],
    workload="harbor-core",
)
_DEADLINE_S = 90
"""A job runs each minute."""


def _leave_behind(lab: Lab) -> None:
    _HOST.plant_unread(lab)
    try:
        rollout.restart(lab.kubectl, lab.profile, "harbor-core")
        jobs_in_redis.restart_jobservices(lab)
    finally:
        _HOST.heal_unread(lab)
    rollout.restart(lab.kubectl, lab.profile, "harbor-core")
    wait_until(
        "a jobservice is connected", lambda: _require_connected(lab), deadline_s=_DEADLINE_S, interval_s=1
    )


def _require_connected(lab: Lab) -> None:
    pods = ("get", "pods", f"--namespace={lab.profile.namespace}", "--selector=component=jobservice")
    own = {each["status"].get("podIP") for each in json.loads(lab.kubectl(*pods, "--output=json"))["items"]}
    asked = f"SELECT client_addr FROM pg_stat_activity WHERE usename = '{postgresql.USER}'"
    if not own & set(postgresql.sql(asked).split()):
        raise NotYet("its jobs have not begun")


DEFECT = Defect(
    report="the official chart: no checksum of jobservice changes with core's ConfigMap",
    shows="nothing: garbage is collected by what the old database knows, and never in the new one",
    turns_red=frozenset({"jobs.replicas-follow-the-database"}),
    hint_says=("kubectl rollout restart", "when it starts"),
    plant_outside=_leave_behind,
    heal_outside=jobs_in_redis.restart_jobservices,
    alone=True,  # whatever restarts a jobservice would mend it
)
