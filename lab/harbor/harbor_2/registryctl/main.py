"""Starting registryctl."""

import argparse
import os
from pathlib import Path
from typing import Any

import yaml

from ... import log, termination
from ...termination import Fatal
from ...web.server import serve
from .. import internal_tls
from ..version import VERSION
from .service import Service
from .storage import Storage

_REGISTRY_CONFIG = "/etc/registry/config.yml"


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"registryctl {VERSION}, a stand-in for goharbor/harbor-registryctl")
    arguments = argparse.ArgumentParser()
    arguments.add_argument("-c", dest="config", type=Path, default=Path("/etc/registryctl/config.yml"))
    own = _load(arguments.parse_args().config)
    registry = _load(Path(own.get("registry_config") or _REGISTRY_CONFIG))
    root = registry.get("storage", {}).get("filesystem", {}).get("rootdirectory")
    if not root:
        raise Fatal("failed to set up the storage driver: the stand-in knows filesystem only")
    port = int(own.get("port", 8080))
    service = Service(Storage(Path(root)), os.environ.get("JOBSERVICE_SECRET", ""))
    server = serve(service.answer, ("", port), tls=internal_tls.of_configuration(own))
    log.info(f"listening on :{port}, storage in {root}")
    server.serve_forever()


def _load(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, TypeError, ValueError) as failure:
        raise Fatal(f"failed to load configurations from {path}: {failure}") from None
