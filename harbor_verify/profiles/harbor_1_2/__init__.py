"""Harbor 1.2 as its Kubernetes manifests lay it out: five ReplicationControllers, database and Redis outside."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.clients.http import HttpClient
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.roles import (
    ConfigurationStores,
    Environment,
    Feature,
    FirstRow,
    Part,
    Profile,
    Role,
    Standing,
)
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.model.web_page import WebPage
from harbor_verify.model.words import Words
from harbor_verify.profiles.harbor_1_2.api import Harbor12
from harbor_verify.profiles.harbor_1_2.configuration_store import ConfigurationStore
from harbor_verify.profiles.harbor_1_2.upgrade import UPGRADE


def session_store(environment: Environment) -> SessionStore | None:
    """`_REDIS_URL`: host:port,connections,password,database; without the last it is 0. No other form is read."""
    setting = environment.get("_REDIS_URL", "")
    if not setting:
        return None
    address, _, rest = setting.partition(",")
    host, _, port = address.rpartition(":")
    parts = [*rest.split(","), "", "", ""][:3]
    if not host or not port.isdecimal() or "/" in host:
        raise WrongConfiguration("_REDIS_URL is not of the form host:port,connections,password,database")
    if not (parts[2] or "0").isdecimal():
        raise WrongConfiguration("the database in _REDIS_URL, its fourth part, is not a number")
    return SessionStore(host, int(port), password=parts[1], database=int(parts[2] or 0))


def database(environment: Environment) -> Database:
    """The MYSQL_ variables of the adminserver, which hands them to every ui."""
    return _database(environment, ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USR", "MYSQL_PWD", "MYSQL_DATABASE"))


def configured_database(configuration: Mapping[str, Any]) -> Database:
    """What the adminserver hands out: the same under names of its own."""
    names = ("mysql_host", "mysql_port", "mysql_username", "mysql_password", "mysql_database")
    return _database({name: str(configuration.get(name) or "") for name in names}, names)


def configuration_secret(environment: Environment) -> str:
    """UI_SECRET, which the adminserver shares with every ui."""
    secret = environment.get("UI_SECRET", "")
    if not secret:
        raise WrongConfiguration("without UI_SECRET")
    return secret


def configurations(http: HttpClient, environment: Environment) -> Mapping[str, Any]:
    """What an adminserver answers, to whom knows its secret."""
    return ConfigurationStore(http).configurations(configuration_secret(environment))


def _database(values: Mapping[str, str], names: tuple[str, str, str, str, str]) -> Database:
    """`names`: those of host, port, user, password and database among `values`. Raises WrongConfiguration."""
    missing = [name for name in names if not values.get(name)]
    if missing:
        raise WrongConfiguration(f"without {', '.join(missing)}")
    host, port, user, password, name = (values[each] for each in names)
    if not port.isdecimal():
        # The service link of a Service named mysql: tcp://198.51.100.1:3306. The adminserver ends with it.
        raise WrongConfiguration(f"{names[1]} is {port!r}, not a number")
    return Database("mysql", host, int(port), user=user, password=password, name=name)


PROFILE = Profile(
    name="harbor-1.2",
    words=Words(
        web="ui",
        job="jobservice",
        front_door="nginx",
        configuration_store="adminserver",
        page="ui",
        session_setting="`_REDIS_URL` (host:port,connections,password,database; no redis://)",
        database_settings="MYSQL_HOST, MYSQL_PORT, MYSQL_USR, MYSQL_PWD and MYSQL_DATABASE in the adminserver's "
        "ConfigMap (a changed one counts only with RESET exactly `true`)",
        token_key="/etc/ui/private_key.pem (pkey of the ui's ConfigMap)",
        token_lifetime="TOKEN_EXPIRATION (minutes) in the adminserver's ConfigMap",
        schema="Load Harbor's schema (registry.sql of its release) into the database that MYSQL_DATABASE names, before "
        "any ui starts; if it was loaded later, delete the ui pods, or nobody can log in. If some of it is missing, "
        "loading broke off: look at sql_mode (NO_ZERO_DATE) and at the loader's errors",
        realm_setting="auth.token.realm in the registry's config.yml",
        listing="the registry tells the ui of each push: `notifications.endpoints` in its config.yml must name their "
        "Service (http://ui/service/notifications), and the registry's log says what became of it",
        after_change="then delete the pods (a ReplicationController does not replace them by itself)",
    ),
    parts={
        Role.FRONT_DOOR: Part(
            images=("nginx-photon", "harbor-nginx"), labels=(("name", "nginx-apps"),), port=80
        ),
        Role.WEB: Part(images=("harbor-ui",), labels=(("name", "ui-apps"),), port=80),
        Role.REGISTRY: Part(
            images=("registry", "registry-photon"), labels=(("name", "registry-apps"),), port=5000
        ),
        Role.JOB: Part(
            images=("harbor-jobservice",), labels=(("name", "jobservice-apps"),), port=80, replicated=False
        ),
        Role.CONFIGURATION_STORE: Part(
            images=("harbor-adminserver",), labels=(("name", "adminserver-apps"),), port=80
        ),
    },
    required=frozenset({Role.WEB, Role.REGISTRY}),
    features=frozenset({Feature.GALERA, Feature.IMAGES_ON_VOLUMES, Feature.OBJECT_STORE}),
    api=Harbor12,
    registry_api=Role.REGISTRY,
    upgrade=UPGRADE,
    registry_login=lambda environment: None,
    session_store=session_store,
    database_role=Role.CONFIGURATION_STORE,
    database=database,
    configuration_store=ConfigurationStores(configurations, configured_database),
    tables=frozenset(
        {
            "access",
            "access_log",
            "alembic_version",
            "img_scan_job",
            "img_scan_overview",
            "project",
            "project_member",
            "properties",
            "replication_job",
            "replication_policy",
            "replication_target",
            "repository",
            "role",
            "user",
        }
    ),
    first_rows=(
        FirstRow("the version of the schema", "alembic_version", "version_num <> ''"),
        FirstRow("the first administrator, user 1", "user", "user_id = 1"),
        # A project that is deleted keeps its row: name#id.
        FirstRow("project library", "project", "name = 'library' OR name LIKE 'library#%'"),
    ),
    member_roles={Standing.ADMINISTRATOR: 1, Standing.DEVELOPER: 2, Standing.GUEST: 3},
    actions={
        Standing.ADMINISTRATOR: frozenset({"push", "*", "pull"}),
        Standing.DEVELOPER: frozenset({"push", "pull"}),
        Standing.GUEST: frozenset({"pull"}),
        Standing.PUBLIC: frozenset({"pull"}),
        Standing.STRANGER: frozenset(),
    },
    page=WebPage(
        login_name="#login_username",
        password="#login_password",
        # Of the releases some give the button an id, all have it in the form.
        log_in="#log_in, form.login [type=submit]",
        user='text="{user}"',
        log_out=r"text=/^\s*log ?out\s*$/i",
    ),
)
