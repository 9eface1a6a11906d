"""Where the registry sends its clients for a token."""

from contextlib import closing
from urllib.parse import urlsplit

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.errors import AnswerError
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_SCOPE = "repository:library/anything:pull"


@check(
    "access.realm-reachable-by-clients",
    hint="The realm has to be a URL that clients reach, http(s)://HOST[:PORT]/service/token of the front door, and "
    "not the name of a Service: {realm_setting}; {after_change}. With TLS its certificate must be one that clients "
    "trust. No challenge at all: the registry asks nobody, see configuration.registry-config-in-effect.",
    source="distribution: token authentication, realm; docker login goes there with the user's password",
    builds_on=("configuration.registry-config-in-effect",),
)
def test_the_realm_of_every_challenge_gives_clients_a_token(harbor: Target, findings: Findings):
    """The realm that the front door and every replica behind it name is reachable from outside, and gives a token.

    Source: distribution, token authentication. Its host may be another than the front door's: clients just go there.
    The suite goes there as nobody: a realm is whatever a registry says.
    """
    registries = [
        (f"front door {harbor.access.url}", harbor.front_registry(None)),
        *((replica.object, harbor.registry(replica)) for replica in harbor.registry_api_replicas()),
    ]
    obstacles = {}
    with closing(harbor.new_front_door_link("token-service")) as link:
        for place, registry in registries:
            with findings.about(place, "answers an anonymous GET /v2/") as answer:
                challenge = registry.challenge()
                if not challenge.realm:
                    expected = "sends an anonymous client to a realm for a token"
                    answer.wrong(challenge.observed, expected=expected)
                    continue
                if challenge.realm not in obstacles:
                    obstacles[challenge.realm] = _obstacle(link, challenge.realm)
                if obstacles[challenge.realm]:
                    expected = f"its realm {challenge.realm} gives a token"
                    answer.wrong(obstacles[challenge.realm], expected=expected)


def _obstacle(link, realm):
    """What keeps a client from getting a token there; empty when it gets one."""
    if not urlsplit(realm).netloc:
        return "no URL with a host, so no client can go there"
    try:
        # With a scope: without one, the token service gives no token to nobody.
        token_service.fetch(link, None, _SCOPE, path=realm)
    except AnswerError as error:
        return str(error)
    return ""
