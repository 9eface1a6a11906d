"""One replica that differs from its siblings: a ConfigMap was edited, one pod was deleted, and it was edited back."""

import json
from collections.abc import Callable

from lab.defects import Lab
from lab.deployment import rollout
from lab.errors import LabError
from lab.waiting import NotYet, wait_until

MARK = "harbor-lab/drifted"
"""A label of the pod that runs with what its ConfigMap no longer says."""
_DEADLINE_S = 90


def edit_for_one(
    config_map: str, key: str, old: str, new: str, deployment: str
) -> tuple[Callable[[Lab], None], Callable[[Lab], None]]:
    """(plant, heal): one pod of a Deployment starts while `key` of its ConfigMap says `new` in the place of `old`."""

    def plant(lab: Lab) -> None:
        namespace = f"--namespace={lab.profile.namespace}"
        if _pods(lab, f"{MARK}=true"):
            return
        found = json.loads(lab.kubectl("get", "configmap", config_map, namespace, "--output=json"))
        as_it_was = found["data"][key]
        if old not in as_it_was:
            raise LabError(f"ConfigMap {config_map}: {key} has no {old!r} to change")
        selector = ",".join(f"{name}={value}" for name, value in _selector(lab, deployment).items())
        before = {pod["metadata"]["uid"] for pod in _pods(lab, selector)}
        _put(lab, config_map, key, as_it_was.replace(old, new))
        try:
            leaving = _pods(lab, selector)[0]["metadata"]["name"]
            lab.kubectl("delete", "pod", leaving, namespace, "--grace-period=1")

            def successor() -> str:
                pods = [pod for pod in _pods(lab, selector) if pod["metadata"]["uid"] not in before]
                ready = [pod["metadata"]["name"] for pod in pods if rollout.is_ready(pod)]
                if not ready:
                    raise NotYet(f"the successor of {leaving} is not Ready")
                return ready[0]

            name = wait_until(f"{leaving} has a successor", successor, deadline_s=_DEADLINE_S)
            lab.kubectl("label", "pod", name, namespace, f"{MARK}=true")
        finally:
            _put(lab, config_map, key, as_it_was)

    def heal(lab: Lab) -> None:
        lab.kubectl(
            "delete",
            "pods",
            f"--namespace={lab.profile.namespace}",
            f"--selector={MARK}=true",
            "--grace-period=1",
        )

    return plant, heal


def _put(lab: Lab, config_map: str, key: str, text: str) -> None:
    patch = json.dumps({"data": {key: text}})
    lab.kubectl(
        "patch",
        "configmap",
        config_map,
        f"--namespace={lab.profile.namespace}",
        "--type=merge",
        f"--patch={patch}",
    )


def _selector(lab: Lab, deployment: str) -> dict[str, str]:
    found = lab.kubectl(
        "get", "deployment", deployment, f"--namespace={lab.profile.namespace}", "--output=json"
    )
    labels: dict[str, str] = json.loads(found)["spec"]["selector"]["matchLabels"]
    return labels


def _pods(lab: Lab, selector: str) -> list[dict]:
    """Those that are to stay."""
    found = lab.kubectl(
        "get", "pods", f"--namespace={lab.profile.namespace}", f"--selector={selector}", "--output=json"
    )
    return [pod for pod in json.loads(found)["items"] if "deletionTimestamp" not in pod["metadata"]]
