"""A Harbor that is there already, found by kubeconfig or from inside its cluster, and a namespace."""

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import connect
from harbor_verify.errors import SettingsError
from harbor_verify.providers import Access
from harbor_verify.settings import PREFIX, Settings, flag


def provide(settings: Settings) -> Access:
    """Connect to it; nothing is asked of it yet. Raises SettingsError where the password is missing."""
    name = "admin_password"
    if settings.admin_password is None:
        raise SettingsError(
            "to verify a Harbor that is there, this setting is missing:\n"
            f"  {flag(name)} or {PREFIX}{name.upper()}: {Settings.model_fields[name].description}\n"
            "Or --lab, for one of its own on this machine."
        )
    return Access(
        provider="existing",
        kubernetes=connect(settings.kubeconfig, settings.context, timeouts_s=settings.timeouts_s),
        namespace=settings.namespace,
        url=settings.url,
        credentials=Credentials(settings.admin_user, settings.admin_password.get_secret_value()),
        docker_host=settings.docker_host,
        may_disrupt=settings.allow_disruption,
    )
