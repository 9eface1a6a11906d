"""Starting the jobservice."""

import os
from pathlib import Path

from ... import log, termination
from ...web.server import serve
from .. import app_config, configuration, database_start
from ..version import VERSION
from .service import Service


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"jobservice {VERSION}, a stand-in for vmware/harbor-jobservice")
    config_path = Path(os.environ.get("CONFIG_PATH") or "/etc/jobservice/app.conf")
    log.info(f"Config path: {config_path}")
    settings = configuration.load(key_path="/etc/jobservice/key")
    database = database_start.connect(settings.current())
    service = Service(database, os.environ.get("UI_SECRET", ""))
    config = app_config.load(config_path)
    server = serve(service.answer, (config.address, config.port), name="beegoServer:1.6.1")
    log.info(f"http server Running on {config.address}:{config.port}")
    server.serve_forever()
