"""A Harbor that is there already, found by kubeconfig or from inside its cluster, and a namespace."""

import base64
import binascii

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import Kubernetes, connect
from harbor_verify.errors import SettingsError, TargetUnreachable
from harbor_verify.providers import Access
from harbor_verify.settings import PREFIX, Settings, flag

_PASSWORDS = ("password", "HARBOR_ADMIN_PASSWORD")
"""Keys of a Secret: as kubernetes.io/basic-auth has it, and as Harbor's chart (existingSecretAdminPassword)."""


def provide(settings: Settings) -> Access:
    """Connect to it; nothing but its password is asked for yet, where a Secret has that.

    Raises SettingsError where the password is missing, TargetUnreachable.
    """
    name, secret = "admin_password", "credentials_secret"
    if settings.admin_password is None and settings.credentials_secret is None:
        raise SettingsError(
            "to verify a Harbor that is there, this setting is missing:\n"
            f"  {PREFIX}{name.upper()}: {Settings.model_fields[name].description}\n"
            f"  or {flag(secret)}: {Settings.model_fields[secret].description}\n"
            "Or --lab, for one of its own on this machine."
        )
    kubernetes = connect(settings.kubeconfig, settings.context, timeouts_s=settings.timeouts_s)
    try:
        credentials = _credentials(kubernetes, settings)
    except (SettingsError, TargetUnreachable):
        kubernetes.close()
        raise
    return Access(
        provider="existing",
        kubernetes=kubernetes,
        namespace=settings.namespace,
        url=settings.url,
        credentials=credentials,
        docker_host=settings.docker_host,
        may_disrupt=settings.allow_disruption,
    )


def _credentials(kubernetes: Kubernetes, settings: Settings) -> Credentials:
    if settings.admin_password is not None:
        return Credentials(settings.admin_user, settings.admin_password.get_secret_value())
    namespace, _, name = (settings.credentials_secret or "").rpartition("/")
    namespace = namespace or settings.namespace
    read = kubernetes.core.read_namespaced_secret
    found = kubernetes.ask(
        f"read Secret {namespace}/{name} ({flag('credentials_secret')})", read, name, namespace
    )
    try:
        data = {key: base64.b64decode(value).decode() for key, value in (found.data or {}).items()}
    except (binascii.Error, UnicodeDecodeError):
        # Not quoted: it is a secret.
        raise SettingsError(f"Secret {namespace}/{name} holds what is no text") from None
    password = next((data[key] for key in _PASSWORDS if data.get(key)), "")
    if not password:
        keys = ", ".join(sorted(data)) or "none"
        raise SettingsError(
            f"Secret {namespace}/{name} has no {' and no '.join(_PASSWORDS)}, which is to hold the administrator's "
            f"password; its keys: {keys}"
        )
    return Credentials(data.get("username") or settings.admin_user, password.rstrip("\n"))
