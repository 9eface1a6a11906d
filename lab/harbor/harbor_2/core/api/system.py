"""Harbor itself: alive, healthy, which version, how it is set."""

from datetime import UTC, datetime
from typing import Any

from .... import log
from ....web.response import TEXT, Response
from ...database import DatabaseError, describe
from ...version import VERSION, at_least
from ..configuration import BY_PROVIDER, UnknownSetting
from ..documents import document
from ..errors import bad_request, not_found, refuse
from ..harbor import Call
from . import bodies
from .guards import caller_of, require_administrator


def ping(_: Call) -> Response:
    return Response(200, b"Pong", [("Content-Type", "text/plain")])


def version(_: Call) -> Response:
    return Response(200, b'{"version":"v2.0"}\n', [TEXT])


def health(call: Call) -> Response:
    """Always 200: only the body tells."""
    return document(call.harbor.health.document())


def info(call: Call) -> Response:
    """More for those who have logged in. It answers without the database too, as to nobody."""
    try:
        values = call.harbor.configuration.current()
        caller = caller_of(call)
    except DatabaseError as failure:
        log.error(f"systeminfo without the database: {describe(failure)}")
        values, caller = call.harbor.configuration.known(), None
    settings = call.harbor.settings
    found: dict[str, Any] = {
        "auth_mode": values["auth_mode"],
        "banner_message": values["banner_message"],
        "oidc_provider_name": values["oidc_name"] if values["auth_mode"] == BY_PROVIDER else "",
        "primary_auth_mode": values["primary_auth_mode"],
        "self_registration": values["self_registration"],
    }
    if caller is not None or not at_least(2, 13):
        found["harbor_version"] = VERSION
    if caller is not None:
        now = datetime.now(UTC)
        found |= {
            "current_time": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "external_url": settings.external_url,
            "has_ca_root": False,
            "notification_enable": values["notification_enable"],
            "project_creation_restriction": values["project_creation_restriction"],
            "read_only": values["read_only"],
            "registry_storage_provider_name": settings.storage_provider,
            "registry_url": settings.external_url.rpartition("://")[2],
        }
    return document(dict(sorted(found.items())))


def volumes(call: Call) -> Response:
    require_administrator(call)
    return document({"storage": [{}]})


def certificate(_: Call) -> Response:
    raise not_found("resource not found: cert not found in path: /etc/core/ca/ca.crt")


def configurations(call: Call) -> Response:
    require_administrator(call)
    found = _editable(call.harbor.configuration.current()) | {"scan_all_policy": {}}
    return document(dict(sorted(found.items())))


def change_configurations(call: Call) -> Response:
    require_administrator(call)
    try:
        call.harbor.configuration.change(bodies.sent(call, "configurations"))
    except UnknownSetting as failure:
        raise bad_request(f"invalid configuration: {failure}") from None
    call.harbor.configuration.current()
    return Response(200)


def internal_configuration(call: Call) -> Response:
    """What jobservice loads when it starts, with every password there is."""
    if call.caller is None or not call.caller.is_program:
        raise refuse(401, "UNAUTHORIZED", "only internal service is allowed to call this API")
    settings = call.harbor.settings
    values = {name: value for name, value in call.harbor.configuration.current().items() if value != ""}
    values |= {
        "admin_initial_password": settings.admin_password,
        "core_url": settings.core_url,
        "database_type": "postgresql",
        "ext_endpoint": settings.external_url,
        "jobservice_url": settings.jobservice_url,
        "max_job_workers": 10,
        "metric_enable": settings.metrics is not None,
        "postgresql_database": settings.database_name,
        "postgresql_host": settings.database_host,
        "postgresql_max_idle_conns": settings.database_most_idle,
        "postgresql_max_open_conns": settings.database_most_open,
        "postgresql_password": settings.database_password,
        "postgresql_port": settings.database_port,
        "postgresql_sslmode": settings.database_sslmode,
        "postgresql_username": settings.database_user,
        "registry_controller_url": settings.registryctl_url,
        "registry_storage_provider_name": settings.storage_provider,
        "registry_url": settings.registry_url,
        "token_service_url": settings.token_service_url,
        "with_trivy": False,
    }
    return document(_editable(dict(sorted(values.items()))))


def _editable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: {"editable": True, "value": value} for name, value in values.items()}
