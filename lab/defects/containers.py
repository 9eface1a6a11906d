"""The containers that a part of Harbor runs in now, for what is done to single ones from outside."""

import json

from lab.defects import Lab

Containers = list[tuple[str, str]]
"""(node, id) of each."""


def running(lab: Lab, component: str, name: str) -> Containers:
    """Those of that name in the pods of a component, the oldest pod first. Raises CommandFailed."""
    words = ("get", "pods", f"--selector=component={component}", f"--namespace={lab.profile.namespace}")
    pods = json.loads(lab.kubectl(*words, "--output=json"))["items"]
    return [
        (pod["spec"]["nodeName"], container["containerID"].rpartition("/")[2])
        for pod in sorted(
            pods, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])
        )
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["status"]["containerStatuses"]
        if container["name"] == name
    ]
