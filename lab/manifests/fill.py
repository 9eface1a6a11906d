"""Filling in what `deploy/` leaves open: each placeholder, and what stands in its place in the lab."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab import settings as lab_settings
from lab.manifests.objects import Object, of_kind
from lab.manifests.secrets import Secrets

MONITOR = "192.0.2.10:6789"


@dataclass(frozen=True)
class DeploymentSettings:
    """What the lab's Harbor stands on. Passwords have no comma: _REDIS_URL is split at commas."""

    ceph_key: str = field(repr=False)
    mysql_password: str = field(repr=False)
    redis_password: str = field(repr=False)
    admin_password: str = field(default=lab_settings.ADMIN_PASSWORD, repr=False)
    monitors: tuple[str, ...] = (f"{lab_settings.CEPH}:6789",)
    mysql_address: str = lab_settings.LOAD_BALANCER
    redis_address: str = lab_settings.LOAD_BALANCER
    external_url: str = lab_settings.HARBOR_URL
    namespace: str = lab_settings.NAMESPACE
    images: str = ""
    """What the images were made from: they keep their names when their content changes."""

    def __post_init__(self) -> None:
        if "," in self.redis_password:
            raise ValueError("the Redis password may not contain a comma")


def values(settings: DeploymentSettings, secrets: Secrets) -> dict[str, str]:
    """What stands in the place of each placeholder."""
    return {
        "CHANGE-ME-ADMIN-PASSWORD": settings.admin_password,
        "CHANGE-ME-CEPH-KEY": settings.ceph_key,
        "CHANGE-ME-DATABASE-PASSWORD": settings.mysql_password,
        "CHANGE-ME-REDIS-PASSWORD": settings.redis_password,
        "CHANGE-ME-UI-SECRET": secrets.ui_secret,
        "CHANGE-ME-JOBSERVICE-SECRET": secrets.jobservice_secret,
        "CHANGE-ME-HTTP-SECRET": secrets.http_secret,
        "CHANGE-ME-16BYTE": secrets.secret_key,
        "CHANGE-ME-TOKEN-KEY": secrets.token_key,
        "CHANGE-ME-TOKEN-CERTIFICATE": secrets.token_certificate,
        "http://harbor.example.com:31777": settings.external_url,
        "192.0.2.20": settings.mysql_address,
        "192.0.2.30": settings.redis_address,
    }


def fill(objects: list[Object], settings: DeploymentSettings, secrets: Secrets) -> list[Object]:
    """The objects with every placeholder filled in; the given ones stay as they are."""
    filled = _replaced(objects, values(settings, secrets))
    for volume in of_kind(filled, "PersistentVolume"):
        volume["spec"]["cephfs"]["monitors"] = list(settings.monitors)
    for secret in of_kind(filled, "Secret"):
        # The API server gives text back as `data`: written so here, a second apply finds nothing to change.
        text = secret.pop("stringData")
        secret["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
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
