"""Starting the adminserver."""

import os
from pathlib import Path

from ... import log, termination
from ...web.server import serve
from ..version import VERSION
from .encryption import BadKey
from .keys import READ_AGAIN, NotANumber, from_environment
from .service import DATA, Service
from .store import Store


def start() -> None:
    termination.run(_main)


def _main() -> None:
    log.info(f"adminserver {VERSION}, a stand-in for vmware/harbor-adminserver")
    log.info("initializing system configurations...")
    try:
        store = _initialised_store()
    except (OSError, BadKey, NotANumber) as failure:
        raise termination.Fatal(f"failed to initialize the system: {failure}") from None
    log.info("system initialization completed")
    secrets = {os.environ.get("UI_SECRET", ""), os.environ.get("JOBSERVICE_SECRET", "")}
    service = Service(store, secrets, data=DATA)
    port = int(os.environ.get("PORT") or 80)
    serve(service.answer, ("", port)).serve_forever()


def _initialised_store() -> Store:
    file = Path(os.environ.get("JSON_CFG_STORE_PATH") or "/etc/adminserver/config/config.json")
    key_file = Path(os.environ.get("KEY_PATH") or "/etc/adminserver/key")
    log.info(f"the path of json configuration storage: {file}")
    log.info(f"the path of key used by key provider: {key_file}")
    store = Store(file, key_file)
    settings = store.read()
    if os.environ.get("RESET") == "true":
        log.info("RESET is set, will load all configurations from environment variables")
        settings = from_environment()
    elif settings is None:
        log.info(
            "configurations read from storage driver are null, will load them from environment variables"
        )
        settings = from_environment()
    else:
        settings |= from_environment(READ_AGAIN)
    store.write(settings)
    return store
