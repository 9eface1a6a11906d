"""Each jobservice keeps the logs of its jobs in its own pod."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, pod_of


def _keep_inside(objects: list[Object]) -> None:
    (volume,) = [
        each for each in pod_of(objects, "harbor-jobservice")["volumes"] if each["name"] == "job-logs"
    ]
    del volume["persistentVolumeClaim"]
    volume["emptyDir"] = {}


DEFECT = Defect(
    report="h#13011, hh#1320",
    shows="every other look at a job's log is a 404, and with the pod all logs are gone",
    turns_red=frozenset({"storage.job-logs-shared"}),
    hint_says=("jobLoggers", "ReadWriteMany"),
    change=_keep_inside,
)
