"""core looks for jobservice under a name that does not exist."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _misspell(objects: list[Object]) -> None:
    find(objects, "ConfigMap", "harbor-core")["data"]["JOBSERVICE_URL"] = "http://harbor-job-service"


DEFECT = Defect(
    report="h#16406; seen on Harbor 2.12: /api/v2.0/health is 200 whatever its body says",
    shows="every probe is green and health answers 200, while its body says unhealthy and no job is ever run",
    turns_red=frozenset(
        {
            "configuration.health-body-is-healthy",
            "jobs.jobs-end",
            "jobs.queues-not-paused",
            "jobs.queues-worked-off",
            "storage.job-logs-shared",
        }
    ),
    # What is due core cannot have run, which is seen a minute later.
    may_turn_red=frozenset({"jobs.schedules-fire"}),
    causes=frozenset({"configuration.health-body-is-healthy"}),
    change=_misspell,
)
