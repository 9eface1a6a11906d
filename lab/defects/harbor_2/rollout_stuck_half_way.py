"""The portal was brought to a release whose image nobody can pull: its new pod never starts, and the old ones serve."""

import json

from lab.defects import Defect, Lab
from lab.waiting import NotYet, wait_until

_IMAGE = "goharbor/harbor-portal:v2.99.0"
_REASONS = {"ErrImagePull", "ImagePullBackOff"}
_DEADLINE_S = 90


def _begin(lab: Lab) -> None:
    namespace = f"--namespace={lab.profile.namespace}"
    lab.kubectl("set", "image", "deployment/harbor-portal", f"portal={_IMAGE}", namespace)

    def stuck() -> None:
        listing = lab.kubectl("get", "pods", namespace, "--selector=component=portal", "--output=json")
        statuses = [
            status
            for pod in json.loads(listing)["items"]
            for status in pod["status"].get("containerStatuses", [])
        ]
        if not _REASONS & {status["state"].get("waiting", {}).get("reason") for status in statuses}:
            raise NotYet("no pod of the portal waits for an image")

    wait_until("a pod of the portal waits for its image", stuck, deadline_s=_DEADLINE_S)


DEFECT = Defect(
    report="bitnami/charts#1598",
    shows="nothing, as the old pods serve, until one of them goes with its node and none comes in its place",
    turns_red=frozenset({"configuration.rollouts-complete"}),
    hint_says=("kubectl rollout undo", "an image that is not there"),
    plant_outside=_begin,
)
