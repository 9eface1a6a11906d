"""Whole Harbors as charts lay them out, distilled to what discovery and checks read: tests/deployments, one file each.

A file is objects of Kubernetes. Where its first document says `based on: OTHER`, its objects are changes of the
other file's: mappings are merged, and lists of named things by their names; null takes a key away, `without` whole
objects.
"""

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "deployments"
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))
_PARTS = "core|portal|jobservice|registry|database|redis|trivy|nginx|ingress"


def text_of(name: str) -> str:
    """The objects of a deployment, as small_cluster takes them."""
    return yaml.dump_all(_objects(name).values(), Dumper=yaml.CSafeDumper)


def of_release(name: str, release: str) -> str:
    """The same, installed under another name."""
    text = re.sub(rf"(?<![\w/])harbor-({_PARTS})\b", rf"{release}-harbor-\1", text_of(name))
    return re.sub(
        r"\b(release|app.kubernetes.io/instance|name): harbor$", rf"\1: {release}", text, flags=re.M
    )


def _objects(name: str) -> dict[str, Any]:
    """By kind, namespace and name."""
    documents = list(yaml.load_all((FOLDER / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader))
    lead = documents.pop(0) if "kind" not in documents[0] else {}
    objects = _objects(lead["based on"]) if lead else {}
    for gone in lead.get("without", ()):
        del objects[gone]
    for document in documents:
        key = f"{document['kind']} {document['metadata']['name']}"
        objects[key] = _merged(objects.get(key, {}), document)
    return objects


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        both = {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
        return {key: value for key, value in both.items() if value is not None}
    if _are_named(old) and _are_named(new):
        changes = {each["name"]: each for each in new}
        kept = [_merged(each, changes.pop(each["name"], {})) for each in old]
        return kept + list(changes.values())
    return new


def _are_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and "name" in each for each in value)
