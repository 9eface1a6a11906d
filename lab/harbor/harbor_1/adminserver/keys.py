"""The settings: which environment variable each comes from, its type, and what is special about it."""

import os
from collections.abc import Iterable
from typing import Any

Settings = dict[str, Any]

_TEXTS = {
    "admin_initial_password": "HARBOR_ADMIN_PASSWORD",
    "admiral_url": "ADMIRAL_URL",
    "auth_mode": "AUTH_MODE",
    "clair_db_password": "CLAIR_DB_PASSWORD",
    "database_type": "DATABASE_TYPE",
    "email_from": "EMAIL_FROM",
    "email_host": "EMAIL_HOST",
    "email_identity": "EMAIL_IDENTITY",
    "email_password": "EMAIL_PWD",
    "email_username": "EMAIL_USR",
    "ext_endpoint": "EXT_ENDPOINT",
    "ldap_base_dn": "LDAP_BASE_DN",
    "ldap_filter": "LDAP_FILTER",
    "ldap_search_dn": "LDAP_SEARCH_DN",
    "ldap_search_password": "LDAP_SEARCH_PWD",
    "ldap_uid": "LDAP_UID",
    "ldap_url": "LDAP_URL",
    "mysql_database": "MYSQL_DATABASE",
    "mysql_host": "MYSQL_HOST",
    "mysql_password": "MYSQL_PWD",
    "mysql_username": "MYSQL_USR",
    "project_creation_restriction": "PROJECT_CREATION_RESTRICTION",
    "registry_url": "REGISTRY_URL",
    "sqlite_file": "SQLITE_FILE",
}
_NUMBERS = {
    "cfg_expiration": "CFG_EXPIRATION",
    "email_port": "EMAIL_PORT",
    "ldap_scope": "LDAP_SCOPE",
    "ldap_timeout": "LDAP_TIMEOUT",
    "max_job_workers": "MAX_JOB_WORKERS",
    "mysql_port": "MYSQL_PORT",
    "token_expiration": "TOKEN_EXPIRATION",
}
_FLAGS = {
    "email_ssl": "EMAIL_SSL",
    "self_registration": "SELF_REGISTRATION",
    "verify_remote_cert": "VERIFY_REMOTE_CERT",
    "with_clair": "WITH_CLAIR",
    "with_notary": "WITH_NOTARY",
}
_VARIABLES = _TEXTS | _NUMBERS | _FLAGS

ENCRYPTED = (
    "admin_initial_password",
    "clair_db_password",
    "email_password",
    "ldap_search_password",
    "mysql_password",
)
READ_AGAIN = (
    "admiral_url",
    "cfg_expiration",
    "clair_db_password",
    "ext_endpoint",
    "max_job_workers",
    "mysql_password",
    "with_clair",
    "with_notary",
)
"""What a start takes from the environment even where the store has settings and RESET is not `true`."""


class NotANumber(Exception):
    """A variable holds something else than the number that it should; the text is Go's."""


def from_environment(names: Iterable[str] = tuple(_VARIABLES)) -> Settings:
    """The settings `names` (all) from the environment; what is not set becomes "", 0 or False.

    Raises NotANumber.
    """
    return {name: _value(name, os.environ.get(_VARIABLES[name], "")) for name in sorted(names)}


def _value(name: str, text: str) -> Any:
    if name in _FLAGS:
        return text.lower() in ("true", "on")
    if name not in _NUMBERS:
        return text
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise NotANumber(f'strconv.Atoi: parsing "{text}": invalid syntax') from None
