"""Secrets that the manifests hold, and those that they take for granted."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping

from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind, put_text
from lab.errors import LabError
from lab.given import text


def decode(objects: list[Object]) -> None:
    """Give Secrets their values as text, as far as they are; `adapt` takes that back."""
    for secret in of_kind(objects, "Secret"):
        data = secret["data"] = dict(secret.get("data") or {})
        for key, value in data.items():
            try:
                data[key] = base64.b64decode(value).decode()
            except (binascii.Error, UnicodeDecodeError):
                data[key] = _Bytes(value)
        data |= secret.pop("stringData", None) or {}


def set_secret(objects: list[Object], name: str, data: Mapping[str, str]) -> None:
    """Give the Secret of that name these values, as text, and no others; made where it is not there."""
    for secret in of_kind(objects, "Secret"):
        if secret["metadata"]["name"] == name:
            secret["data"] = dict(data)
            return
    objects.append(_made(objects, name, dict(data)))


def _made(objects: list[Object], name: str, data: dict[str, str]) -> Object:
    namespace = of_kind(objects, *WORKLOADS)[0]["metadata"]["namespace"]
    metadata = {"name": name, "namespace": namespace, "labels": {}}
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}


class _Bytes(str):
    """In base64: what it holds is no text."""


def adapt(objects: list[Object], known: Mapping[str, str]) -> list[str]:
    """Set the values that the lab knows, by the variables' names; make the Secrets that are only named.

    What nobody knows in those is 16 characters, the same at each rendering. Raises LabError for a key of TLS.
    """
    notes = []
    for name, value in known.items():
        for variable in text.named(objects, name):
            variable.value = value
    there = {secret["metadata"]["name"]: secret for secret in of_kind(objects, "Secret")}
    for secret_name, key, variable_name in _named(objects):
        if secret_name not in there:
            there[secret_name] = _made(objects, secret_name, {})
            objects.append(there[secret_name])
            notes.append(f"Secret {secret_name} is named and not given: the lab makes one")
        data = there[secret_name]["data"]
        if key not in data:
            if key.endswith((".key", ".crt", ".pem")):
                raise LabError(
                    f"Secret {secret_name} is named and not given, and is to hold {key}: put it into the manifests"
                )
            data[key] = (
                known.get(variable_name) or hashlib.sha256(f"{secret_name} {key}".encode()).hexdigest()[:16]
            )
        elif variable_name in known:
            data[key] = known[variable_name]
    for secret_name in _taken_whole(objects) - there.keys():
        there[secret_name] = _made(objects, secret_name, dict(known))
        objects.append(there[secret_name])
        notes.append(f"Secret {secret_name} is named and not given: the lab makes one of what it knows")
    for secret in there.values():
        for key, value in list(secret["data"].items()):
            if not isinstance(value, _Bytes):
                put_text(secret, key, value)
    return notes


def _taken_whole(objects: list[Object]) -> set[str]:
    """The Secrets whose every value a container takes into its environment, and needs."""
    return {
        source["secretRef"]["name"]
        for workload in of_kind(objects, *WORKLOADS)
        for container in workload["spec"]["template"]["spec"]["containers"]
        for source in container.get("envFrom") or []
        if "secretRef" in source and not source["secretRef"].get("optional")
    }


def _named(objects: list[Object]) -> Iterator[tuple[str, str, str]]:
    """(Secret, key, variable or file) of each single value that a container takes from a Secret and needs."""
    for workload in of_kind(objects, *WORKLOADS):
        pod = workload["spec"]["template"]["spec"]
        for container in [*(pod.get("initContainers") or []), *pod["containers"]]:
            for variable in container.get("env") or []:
                chosen = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if chosen and not chosen.get("optional"):
                    yield chosen["name"], chosen["key"], variable["name"]
        for volume in pod.get("volumes") or []:
            secret = volume.get("secret") or {}
            for item in secret.get("items") or []:
                if not secret.get("optional"):
                    yield secret["secretName"], item["key"], item["path"]
