"""Users come from a provider of identities (`auth_mode: oidc_auth`): the database knows the administrator alone."""

import json

from lab.deployment.manifests.objects import Object, find
from lab.layouts import Layout


def _take_users_from_a_provider(objects: list[Object]) -> None:
    """As the chart renders `core.configureUserSettings`. Nobody answers at the endpoint, and nobody here asks there."""
    settings = {
        "auth_mode": "oidc_auth",
        "oidc_name": "provider",
        "oidc_endpoint": "https://identities.example.com",
        "oidc_client_id": "harbor",
        "oidc_scope": "openid,profile,email",
    }
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    core["CONFIG_OVERWRITE_JSON"] = json.dumps(settings)


LAYOUT = Layout(
    about="users come from a provider of identities (OIDC); the administrator signs in by the form all the same",
    change=_take_users_from_a_provider,
    not_applicable=frozenset(
        {
            "access.docker-login",
            "access.login-refuses-wrong-password",
            "access.private-project-hidden-from-anonymous",
            "access.token-grants-no-more-than-asked-or-allowed",
            "images.mount-needs-pull-right",
            "sessions.users-kept-apart",
        }
    ),
)
