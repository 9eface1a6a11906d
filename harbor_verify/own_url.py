"""The URL that Harbor's own settings name."""

from urllib.parse import urlsplit

from harbor_verify.errors import SettingsError
from harbor_verify.model.discovery import Deployment
from harbor_verify.settings import PREFIX, flag

OWN_URL = "EXT_ENDPOINT"
"""The variable of Harbor's that names the URL which clients reach it by."""


def own_url(deployment: Deployment) -> str:
    """The URL that Harbor is told to be reached by, without a slash at its end. Raises SettingsError without one.

    Source: Harbor: EXT_ENDPOINT; the chart: externalURL.
    """
    # It stands among the settings that name the database.
    replicas = deployment.replicas(deployment.profile.database_role)
    url = deployment.environment(replicas[0]).get(OWN_URL, "") if replicas else ""
    if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname:
        return url.rstrip("/")
    own_url = f"it is told {url!r}" if url else "it is told none"
    name = "harbor_url"
    raise SettingsError(
        f"Harbor's own settings name no URL that clients reach it by ({OWN_URL}; {own_url}). "
        f"Say it with {flag(name)} or {PREFIX}{name.upper()}."
    )
