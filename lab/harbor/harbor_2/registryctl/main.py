"""Starting registryctl."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ... import log, termination
from ...termination import Fatal
from ...web.server import serve
from .. import internal_tls
from ..bucket import Bucket
from ..version import VERSION
from .service import Service
from .storage import Files, Folder, Objects, Storage

_REGISTRY_CONFIG = "/etc/registry/config.yml"
_KEYS = ("accesskey", "secretkey")


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"registryctl {VERSION}, a stand-in for goharbor/harbor-registryctl")
    arguments = argparse.ArgumentParser()
    arguments.add_argument("-c", dest="config", type=Path, default=Path("/etc/registryctl/config.yml"))
    own = _load(arguments.parse_args().config)
    registry = _load(Path(own.get("registry_config") or _REGISTRY_CONFIG))
    files, place = _files(registry.get("storage") or {}, os.environ)
    port = int(own.get("port", 8080))
    service = Service(Storage(files), os.environ.get("JOBSERVICE_SECRET", ""))
    server = serve(service.answer, ("", port), tls=internal_tls.of_configuration(own))
    log.info(f"listening on :{port}, storage in {place}")
    server.serve_forever()


def _files(storage: dict[str, Any], environment: Mapping[str, str]) -> tuple[Files, str]:
    """What the registry's driver writes to, and where that is, in a few words. Raises Fatal."""
    try:
        if "s3" not in storage:
            root = storage["filesystem"]["rootdirectory"]
            return Folder(Path(root)), root
        driver = storage["s3"]
        keys = {
            name: environment.get(f"REGISTRY_STORAGE_S3_{name.upper()}") or driver[name] for name in _KEYS
        }
        bucket = Bucket(
            endpoint=driver["regionendpoint"].rstrip("/"),
            name=driver["bucket"],
            access_key=keys["accesskey"],
            secret_key=keys["secretkey"],
            region=driver["region"],
        )
        return Objects(
            bucket, driver.get("rootdirectory") or ""
        ), f"bucket {bucket.name} at {bucket.endpoint}"
    except (KeyError, TypeError, AttributeError) as failure:
        raise Fatal(
            "failed to set up the storage driver: the stand-in knows filesystem, and s3 with regionendpoint and keys; "
            f"{failure!r}"
        ) from None


def _load(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, TypeError, ValueError) as failure:
        raise Fatal(f"failed to load configurations from {path}: {failure}") from None
