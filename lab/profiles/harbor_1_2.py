"""Harbor 1.2: plain ReplicationControllers, its database in Galera."""

import secrets as random
from dataclasses import dataclass, field
from typing import Self

from lab import settings
from lab.deployment.manifests.secrets import token_pair
from lab.profiles.profile import Profile
from lab.stores import galera, redis_sentinel


@dataclass(frozen=True)
class Secrets:
    """`token_key` is PKCS#1 PEM, as the ui reads no other; `token_certificate` is its certificate, PEM."""

    ui_secret: str = field(repr=False)
    jobservice_secret: str = field(repr=False)
    http_secret: str = field(repr=False)
    secret_key: str = field(repr=False)
    token_key: str = field(repr=False)
    token_certificate: str = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        """New ones."""
        key, certificate = token_pair()
        return cls(
            ui_secret=random.token_hex(16),
            jobservice_secret=random.token_hex(16),
            http_secret=random.token_hex(16),
            secret_key=random.token_hex(8),  # read as 16 bytes of text
            token_key=key,
            token_certificate=certificate,
        )


def _placeholders(secrets: Secrets) -> dict[str, str]:
    return {
        "CHANGE-ME-ADMIN-PASSWORD": settings.ADMIN_PASSWORD,
        "CHANGE-ME-DATABASE-PASSWORD": galera.PASSWORD,
        "CHANGE-ME-REDIS-PASSWORD": redis_sentinel.PASSWORD,
        "CHANGE-ME-UI-SECRET": secrets.ui_secret,
        "CHANGE-ME-JOBSERVICE-SECRET": secrets.jobservice_secret,
        "CHANGE-ME-HTTP-SECRET": secrets.http_secret,
        "CHANGE-ME-16BYTE": secrets.secret_key,
        "CHANGE-ME-TOKEN-KEY": secrets.token_key,
        "CHANGE-ME-TOKEN-CERTIFICATE": secrets.token_certificate,
        "http://harbor.example.com:31777": HARBOR_1_2.url,
        "192.0.2.20": settings.LOAD_BALANCER,
        "192.0.2.30": settings.LOAD_BALANCER,
    }


def _run_sql(statements: str) -> None:
    for node in settings.GALERA:
        galera.sql(node, statements)


HARBOR_1_2 = Profile(
    name="harbor-1.2",
    namespace="harbor",
    node_port=31777,
    package="harbor_1_2",
    database="Galera",
    secrets=Secrets,
    placeholders=_placeholders,
    run_sql=_run_sql,
)
