"""One edit of a ConfigMap or Secret, and the ways in which it comes to the pods that are started with it.

Everywhere: it was there before any of them started. On one replica: somebody edited, a pod died, somebody edited back.
Unread: somebody edited, and no pod has been started since.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from lab.defects import Lab
from lab.deployment import rollout
from lab.deployment.manifests.objects import Object, find, workload
from lab.errors import LabError
from lab.waiting import NotYet, wait_until

MARK = "harbor-lab/drifted"
"""A label of the pod that runs with what is no longer declared."""
_DEADLINE_S = 90


@dataclass(frozen=True)
class Edit:
    """`key` of a ConfigMap or Secret has `new` in the place of `old`; without an `old` it is `new` as a whole."""

    name: str
    key: str
    new: str | Callable[[], str]
    workload: str
    """Whose pods are started with it."""
    old: str = ""
    kind: str = "ConfigMap"

    def everywhere(self, objects: list[Object]) -> None:
        """Change the manifests. Raises LabError where there is nothing to change."""
        found = find(objects, self.kind, self.name)
        found.setdefault("data", {})[self.key] = self._written(self._edited(found))

    def plant_on_one(self, lab: Lab) -> None:
        """Have one pod start with it. Raises LabError where there is nothing to change, NotReady, CommandFailed."""
        if _pods(lab, f"{MARK}=true"):
            return
        found = self._declared(lab)
        selector = self._selector(lab)
        before = {pod["metadata"]["uid"] for pod in _pods(lab, selector)}
        self._put(lab, self._written(self._edited(found)))
        try:
            leaving = _pods(lab, selector)[0]["metadata"]["name"]
            _kubectl(lab, "delete", "pod", leaving, "--grace-period=1")

            def successor() -> str:
                pods = [pod for pod in _pods(lab, selector) if pod["metadata"]["uid"] not in before]
                ready = [pod["metadata"]["name"] for pod in pods if rollout.is_ready(pod)]
                if not ready:
                    raise NotYet(f"the successor of {leaving} is not Ready")
                return ready[0]

            name = wait_until(f"{leaving} has a successor", successor, deadline_s=_DEADLINE_S)
            _kubectl(lab, "label", "pod", name, f"{MARK}=true")
        finally:
            self._put(lab, found["data"][self.key])

    @staticmethod
    def heal_one(lab: Lab) -> None:
        """Replace the pod that has it. Raises CommandFailed."""
        _kubectl(lab, "delete", "pods", f"--selector={MARK}=true", "--grace-period=1")

    def plant_unread(self, lab: Lab) -> None:
        """Declare it, and start no pod. Raises LabError where there is nothing to change, CommandFailed."""
        self._put(lab, self._written(self._edited(self._rendered(lab))))

    def heal_unread(self, lab: Lab) -> None:
        """Declare again what the pods were started with. Raises CommandFailed."""
        self._put(lab, self._rendered(lab)["data"][self.key])

    def heal_read(self, lab: Lab) -> None:
        """The same, where pods may have been started with it meanwhile: all are replaced. Raises CommandFailed."""
        if self._declared(lab)["data"].get(self.key) == self._rendered(lab)["data"][self.key]:
            return
        self.heal_unread(lab)
        _kubectl(lab, "delete", "pods", f"--selector={self._selector(lab)}", "--grace-period=1")

    def _edited(self, found: Object) -> str:
        new = self.new if isinstance(self.new, str) else self.new()
        if not self.old:
            return new
        data = found["data"][self.key]
        text = base64.b64decode(data).decode() if self.kind == "Secret" else data
        if self.old not in text:
            raise LabError(f"{self.kind} {self.name}: {self.key} has no {self.old!r} to change")
        return text.replace(self.old, new)

    def _written(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode() if self.kind == "Secret" else text

    def _declared(self, lab: Lab) -> Object:
        found: Object = json.loads(_kubectl(lab, "get", self.kind.lower(), self.name, "--output=json"))
        return found

    def _rendered(self, lab: Lab) -> Object:
        return find(rollout.rendered(lab.profile.folder), self.kind, self.name)

    def _selector(self, lab: Lab) -> str:
        """Of the workload's pods. That of a ReplicationController is labels, and nothing else."""
        selector = workload(rollout.rendered(lab.profile.folder), self.workload)["spec"]["selector"]
        return ",".join(f"{name}={value}" for name, value in selector.get("matchLabels", selector).items())

    def _put(self, lab: Lab, data: str) -> None:
        patch = json.dumps({"data": {self.key: data}})
        _kubectl(lab, "patch", self.kind.lower(), self.name, "--type=merge", f"--patch={patch}")


def _kubectl(lab: Lab, verb: str, kind: str, *words: str) -> str:
    return lab.kubectl(verb, kind, f"--namespace={lab.profile.namespace}", *words)


def _pods(lab: Lab, selector: str) -> list[dict]:
    """Those that are to stay."""
    found = _kubectl(lab, "get", "pods", f"--selector={selector}", "--output=json")
    return [pod for pod in json.loads(found)["items"] if "deletionTimestamp" not in pod["metadata"]]
