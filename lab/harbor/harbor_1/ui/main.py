"""Starting the ui: its port opens last, after everything that it needs."""

import os
from pathlib import Path
from typing import Any

from ... import log, termination
from ...web.server import serve
from .. import app_config, configuration, database_start
from ..configuration import Configuration
from ..database import Database, DatabaseError, describe
from ..version import VERSION
from .application import Application
from .harbor import Harbor
from .records import users
from .registry_client import RegistryClient
from .sessions import Sessions, open_store
from .signing import SigningKey
from .synchronisation import SynchronisationFailed, synchronise
from .tokens import REGISTRY

_TOKEN_USER = "harbor-ui"


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"ui {VERSION}, a stand-in for vmware/harbor-ui")
    config_path = Path(os.environ.get("CONFIG_PATH") or "/etc/ui/app.conf")
    log.info(f"Config path: {config_path}")
    settings = configuration.load(key_path="/etc/ui/key")
    database = database_start.connect(settings.current())
    _set_first_password(database, settings)
    key = SigningKey(Path(os.environ.get("TOKEN_PRIVATE_KEY_PATH") or "/etc/ui/private_key.pem"))
    registry = _registry(settings, key)
    try:
        synchronise(database, registry)
    except SynchronisationFailed as failure:
        log.error(str(failure))
    config = app_config.load(config_path)
    harbor = Harbor(
        app_config=config,
        configuration=settings,
        database=database,
        registry=registry,
        sessions=Sessions(open_store()),
        key=key,
        jobservice_secret=os.environ.get("JOBSERVICE_SECRET", ""),
    )
    server = serve(Application(harbor).answer, (config.address, config.port), name="beegoServer:1.6.1")
    log.info(f"http server Running on {config.address}:{config.port}")
    server.serve_forever()


def _set_first_password(database: Database, settings: Configuration) -> None:
    try:
        password = settings.current()["admin_initial_password"]
        if users.set_first_password(database, users.ADMIN_ID, password):
            log.info(f"User id: {users.ADMIN_ID} updated its encrypted password successfully.")
        else:
            log.info(f"User id: {users.ADMIN_ID} already has its encrypted password.")
    except DatabaseError as failure:
        log.error(f"failed to set the first password of user {users.ADMIN_ID}: {describe(failure)}")


def _registry(settings: Configuration, key: SigningKey) -> RegistryClient:
    def token(access: list[dict[str, Any]]) -> str:
        minutes = settings.current()["token_expiration"]
        return key.token(_TOKEN_USER, REGISTRY, access, minutes)["token"]

    return RegistryClient(lambda: settings.current()["registry_url"], token)
