"""Settings that an administrator changes while Harbor runs: what stands in the table properties, else a default.

What the environment says (CONFIG_OVERWRITE_JSON) stands above both.
"""

import json
import threading
from typing import Any

from ..database import Database, Row

Values = dict[str, Any]

DEFAULTS: Values = {
    "audit_log_forward_endpoint": "",
    "auth_mode": "db_auth",
    "banner_message": "",
    "http_authproxy_admin_groups": "",
    "http_authproxy_admin_usernames": "",
    "http_authproxy_endpoint": "",
    "http_authproxy_server_certificate": "",
    "http_authproxy_skip_search": False,
    "http_authproxy_tokenreview_endpoint": "",
    "http_authproxy_verify_cert": True,
    "ldap_base_dn": "",
    "ldap_filter": "",
    "ldap_group_admin_dn": "",
    "ldap_group_attach_parallel": False,
    "ldap_group_attribute_name": "",
    "ldap_group_base_dn": "",
    "ldap_group_membership_attribute": "memberof",
    "ldap_group_search_filter": "",
    "ldap_group_search_scope": 2,
    "ldap_scope": 2,
    "ldap_search_dn": "",
    "ldap_timeout": 5,
    "ldap_uid": "cn",
    "ldap_url": "",
    "ldap_verify_cert": True,
    "notification_enable": True,
    "oidc_admin_group": "",
    "oidc_auto_onboard": False,
    "oidc_client_id": "",
    "oidc_endpoint": "",
    "oidc_extra_redirect_parms": "{}",
    "oidc_group_filter": "",
    "oidc_groups_claim": "",
    "oidc_name": "",
    "oidc_scope": "",
    "oidc_user_claim": "",
    "oidc_verify_cert": True,
    "primary_auth_mode": False,
    "project_creation_restriction": "everyone",
    "quota_per_project_enable": True,
    "read_only": False,
    "robot_name_prefix": "robot$",
    "robot_token_duration": 30,
    "scanner_skip_update_pulltime": False,
    "self_registration": False,
    "session_timeout": 60,
    "skip_audit_log_database": False,
    "storage_per_project": -1,
    "token_expiration": 30,
    "uaa_client_id": "",
    "uaa_client_secret": "",
    "uaa_endpoint": "",
    "uaa_verify_cert": False,
}
"""session_timeout and token_expiration in minutes."""


LOCAL, BY_PROVIDER = "db_auth", "oidc_auth"
"""auth_mode: whose users these are."""


class UnknownSetting(Exception):
    """There is none of that name, or its value is of another type."""


class Configuration:
    def __init__(self, database: Database, overwritten: Values | None = None) -> None:
        self._database, self._overwritten = database, overwritten or {}
        self._lock = threading.Lock()
        self._known = DEFAULTS | self._overwritten

    def current(self) -> Values:
        """As it stands in the database. Raises DatabaseError."""
        stored = dict(map(_value, self._database.rows("SELECT k, v FROM properties")))
        values = DEFAULTS | stored | self._overwritten
        with self._lock:
            self._known = values
        return values

    def known(self) -> Values:
        """As it stood when the database was last asked: for requests that are answered without it."""
        with self._lock:
            return self._known

    def change(self, values: Values) -> None:
        """For all cores. Raises UnknownSetting, DatabaseError."""
        for name, value in values.items():
            if name not in DEFAULTS or type(value) is not type(DEFAULTS[name]):
                raise UnknownSetting(name)
        with self._database.transaction() as cursor:
            for name, value in values.items():
                cursor.execute(
                    """INSERT INTO properties (k, v) VALUES (%s, %s)
                        ON CONFLICT (k) DO UPDATE SET v = excluded.v""",
                    [name, value if isinstance(value, str) else json.dumps(value)],
                )


def _value(row: Row) -> tuple[str, Any]:
    name, text = row["k"], row["v"]
    return name, text if isinstance(DEFAULTS.get(name, ""), str) else json.loads(text)
