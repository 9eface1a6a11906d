"""Text anywhere in an object, and the variables that containers get."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind

Change = Callable[[str], str]


def changed(node: Any, change: Change) -> Any:
    """A copy in which each text is changed; names of fields are not. Fields with nothing in them are left out."""
    if isinstance(node, dict):
        return {key: changed(value, change) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        return [changed(value, change) for value in node]
    return change(node) if isinstance(node, str) else node


@dataclass
class Variable:
    """A name with a value, in a ConfigMap, a Secret (in plain text) or a container's `env`."""

    holder: Object
    key: str

    @property
    def value(self) -> str:
        return str(self.holder[self.key])

    @value.setter
    def value(self, text: str) -> None:
        self.holder[self.key] = text


def texts(objects: list[Object]) -> Iterator[Variable]:
    """Each value of a ConfigMap, a Secret or a container's `env`, by its key or name."""
    for each in of_kind(objects, "ConfigMap", "Secret"):
        data = each.get("data") or {}
        for key in data:
            yield Variable(data, key)
    for workload in of_kind(objects, *WORKLOADS):
        pod = workload["spec"]["template"]["spec"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            for variable in container.get("env") or []:
                if "value" in variable:
                    yield Variable(variable, "value")


def named(objects: list[Object], name: str) -> list[Variable]:
    """The values that a container may get under this name."""
    return [
        variable
        for variable in texts(objects)
        if variable.key == name or (variable.key == "value" and variable.holder.get("name") == name)
    ]
