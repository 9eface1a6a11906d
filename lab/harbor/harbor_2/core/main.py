"""Starting core: its port opens last, after everything that it needs."""

import os
import random
import time

import redis

from ... import log, termination
from ...termination import Fatal
from ...web.server import serve
from .. import internal_tls, metrics, migrate, redis_client
from ..database import Database, DatabaseError, describe
from ..redis_client import RedisError
from ..version import VERSION
from . import csrf, health
from .application import Application
from .configuration import Configuration
from .dependencies import wait_for
from .door.pulls import Pulls
from .harbor import Harbor
from .health import Health
from .records import users
from .registry_client import RegistryClient
from .requests import Requests
from .sessions import MemoryStore, RedisStore, Sessions, Store
from .settings import Settings, from_environment
from .signing import SigningKey

_WAIT_S = 60.0
_GRACE_S = 3.0
"""For so long a core that was told to end goes on answering, as the real one does."""


def start() -> None:
    termination.run(_main, grace_s=_GRACE_S)


def _main() -> None:
    log.info(f"core {VERSION}, a stand-in for goharbor/harbor-core")
    log.info(f"Config path: {os.environ.get('CONFIG_PATH') or '/etc/core/app.conf'}")
    settings = from_environment()
    log.info("initializing cache ...")
    cache = _cache(settings)
    database = _database(settings)
    migrate.migrate(database)
    log.info("The database has been migrated successfully")
    _set_first_password(database, settings.admin_password)
    configuration = Configuration(database, settings.overwritten)
    harbor = Harbor(
        settings=settings,
        database=database,
        configuration=configuration,
        sessions=Sessions(_store(settings), lambda: configuration.known()["session_timeout"] * 60),
        key=SigningKey(settings.private_key_file),
        registry=RegistryClient(
            settings.registry_url, settings.registry_username, settings.registry_password
        ),
        health=Health(health.checks(settings, database, cache)),
        csrf=csrf.Protection(
            csrf.key_from(settings.csrf_key), secure=settings.external_url.startswith("https://")
        ),
        pulls=Pulls(database),
    )
    harbor.health.start()
    harbor.pulls.start()
    log.info(f"Version: {VERSION}")
    tls, answer = internal_tls.of_environment(), Application(harbor).answer
    if settings.metrics:
        requests = Requests(answer)
        answer = requests.answer
        port, path = settings.metrics
        metrics.tell(requests.families, port=port, path=path)
    server = serve(answer, ("", settings.port), streams=True, tls=tls)
    log.info(f"http server Running on {'https' if tls else 'http'}://:{settings.port}")
    server.serve_forever()


def _cache(settings: Settings) -> redis.Redis:
    """Redis, once it answers. Raises Fatal."""
    url = settings.cache_redis_url
    if not url:
        raise Fatal("failed to initialize cache: cache type  not support")
    client = redis_client.connect(url)
    deadline_s, pause_s = time.monotonic() + _WAIT_S, 0.5
    while time.monotonic() < deadline_s:
        try:
            client.ping()
            return client
        except (RedisError, OSError) as failure:
            reason = redis_client.describe(failure)
            shown = redis_client.without_password(url)
            log.error(f"failed to ping {shown}, retry after {pause_s * 1000:.0f}ms : {reason}")
            time.sleep(min(pause_s, max(0.0, deadline_s - time.monotonic())))
            pause_s = min(10.0, pause_s * random.uniform(1.0, 1.5))
    raise Fatal("failed to initialize cache: retry timeout")


def _store(settings: Settings) -> Store:
    """In Redis where _REDIS_URL_CORE is set; else in this process, without a word."""
    if not settings.redis_url:
        return MemoryStore()
    return RedisStore(redis_client.connect(settings.redis_url))


def _database(settings: Settings) -> Database:
    """Raises Fatal."""
    host, port = settings.database_host, settings.database_port
    log.info(f"initializing database: type-PostgreSQL host-{host} port-{port}")
    try:
        wait_for(host, port, _WAIT_S)
        database = Database(
            host,
            port,
            settings.database_user,
            settings.database_password,
            settings.database_name,
            sslmode=settings.database_sslmode,
            most_idle=settings.database_most_idle,
            most_open=settings.database_most_open,
        )
        database.rows("SELECT 1")
    except TimeoutError as failure:
        raise Fatal(f"failed to initialize database: {failure}") from None
    except DatabaseError as failure:
        raise Fatal(
            f"failed to initialize database: register db Ping `default`, {describe(failure)}"
        ) from None
    log.info("initialize database completed")
    return database


def _set_first_password(database: Database, password: str) -> None:
    """Raises Fatal."""
    try:
        if users.set_first_password(database, users.ADMIN_ID, password):
            log.info(f"User id: {users.ADMIN_ID} updated its encrypted password successfully.")
        else:
            log.info(f"User id: {users.ADMIN_ID} already has its encrypted password.")
    except DatabaseError as failure:
        raise Fatal(f"failed to set the first password: {describe(failure)}") from None
