"""Harbor 2.x: the Helm chart's Deployments, its database in PostgreSQL."""

import secrets as random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import bcrypt

from lab import settings
from lab.deployment.manifests.secrets import token_pair
from lab.profiles.profile import Profile
from lab.stores import postgresql, redis_sentinel

_REGISTRY_USER = "harbor_registry_user"
# The least that bcrypt has: the registry works it out at every request. The chart's cost of 10 takes 65 ms each time.
_BCRYPT_COST = 4


@dataclass(frozen=True)
class Secrets:
    """`registry_htpasswd` is the line of an htpasswd file, with `registry_password` in it as bcrypt has it."""

    core_secret: str = field(repr=False)
    jobservice_secret: str = field(repr=False)
    http_secret: str = field(repr=False)
    secret_key: str = field(repr=False)
    csrf_key: str = field(repr=False)
    registry_password: str = field(repr=False)
    registry_htpasswd: str = field(repr=False)
    token_key: str = field(repr=False)
    token_certificate: str = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        """New ones."""
        key, certificate = token_pair()
        password = random.token_hex(16)
        digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_COST)).decode()
        return cls(
            core_secret=random.token_hex(8),
            jobservice_secret=random.token_hex(8),
            http_secret=random.token_hex(8),
            secret_key=random.token_hex(8),  # read as 16 bytes of text
            csrf_key=random.token_hex(16),  # read as 32 bytes of text
            registry_password=password,
            registry_htpasswd=f"{_REGISTRY_USER}:{digest}",
            token_key=key,
            token_certificate=certificate,
        )


def _placeholders(secrets: Secrets) -> dict[str, str]:
    sentinels = zip(("192.0.2.31", "192.0.2.32", "192.0.2.33"), settings.REDIS.values(), strict=True)
    return {
        "CHANGE-ME-ADMIN-PASSWORD": settings.ADMIN_PASSWORD,
        "CHANGE-ME-DATABASE-PASSWORD": postgresql.PASSWORD,
        "CHANGE-ME-REDIS-PASSWORD": redis_sentinel.PASSWORD,
        "CHANGE-ME-CORE-SECRET": secrets.core_secret,
        "CHANGE-ME-JOBSERVICE-SECRET": secrets.jobservice_secret,
        "CHANGE-ME-HTTP-SECRET": secrets.http_secret,
        "CHANGE-ME-16BYTE": secrets.secret_key,
        "CHANGE-ME-CSRF-KEY": secrets.csrf_key,
        "CHANGE-ME-REGISTRY-PASSWORD": secrets.registry_password,
        "CHANGE-ME-REGISTRY-HTPASSWD": secrets.registry_htpasswd,
        "CHANGE-ME-TOKEN-KEY": secrets.token_key,
        "CHANGE-ME-TOKEN-CERTIFICATE": secrets.token_certificate,
        "http://harbor.example.com:31778": HARBOR_2.url,
        "192.0.2.20": settings.LOAD_BALANCER,
        "192.0.2.30": settings.LOAD_BALANCER,
        **dict(sentinels),
    }


def _run_sql(statements: str) -> None:
    postgresql.sql(statements)


_EACH_MINUTE = "0 * * * * *"
_SCHEDULE = f"""
if [ "$INTERNAL_TLS_ENABLED" = true ]; then core=https://127.0.0.1:8443; else core=http://127.0.0.1:8080; fi
schedule="$core/api/v2.0/system/purgeaudit/schedule"
ask() {{ curl -kfsS --retry 2 --retry-all-errors -u "admin:{settings.ADMIN_PASSWORD}" "$@" "$schedule"; }}
ask | grep -qF '"cron":"{_EACH_MINUTE}"' || ask -X PUT -H 'Content-Type: application/json' -d '{{
    "schedule": {{"type": "Custom", "cron": "{_EACH_MINUTE}"}},
    "parameters": {{"audit_retention_hour": 168, "dry_run": true, "include_event_types": "create_artifact",
    "include_operations": "create"}}}}'
"""


def _schedule(kubectl: Callable[..., str]) -> None:
    """Something that runs by a schedule each minute: how many old entries the audit log has is counted."""
    namespace = f"--namespace={HARBOR_2.namespace}"
    kubectl("exec", "deployment/harbor-core", "--container=core", namespace, "--", "sh", "-ec", _SCHEDULE)


HARBOR_2 = Profile(
    name="harbor-2",
    namespace="harbor-2",
    node_port=31778,
    package="harbor_2",
    database="PostgreSQL",
    secrets=Secrets,
    placeholders=_placeholders,
    run_sql=_run_sql,
    settle=_schedule,
)
