"""Filling in what `deploy/` leaves open: each placeholder, by what stands in its place in the lab."""

from collections.abc import Mapping
from typing import Any

from lab import settings
from lab.deployment.manifests.objects import Object, of_kind, put_text

MONITOR = "192.0.2.10:6789"


def fill(objects: list[Object], values: Mapping[str, str]) -> list[Object]:
    """The objects with every placeholder replaced by its value; the given ones stay as they are."""
    filled = _replaced(objects, values)
    for volume in of_kind(filled, "PersistentVolume"):
        volume["spec"]["cephfs"]["monitors"] = [f"{settings.CEPH}:6789"]
    for secret in of_kind(filled, "Secret"):
        # The API server gives text back as `data`: written so here, a second apply finds nothing to change.
        for key, text in secret.pop("stringData").items():
            put_text(secret, key, text)
    return filled


def _replaced(node: Any, placeholders: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(value, placeholders) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, placeholders) for value in node]
    if isinstance(node, str):
        for placeholder, value in placeholders.items():
            node = node.replace(placeholder, value)
    return node
