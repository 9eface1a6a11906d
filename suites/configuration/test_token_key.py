"""Whose tokens are trusted: those that Harbor signs, on whichever replica, and no others."""

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.clients.http import summary
from harbor_verify.findings import Findings
from harbor_verify.model import configuration, token_keys
from harbor_verify.model.agreement import prevailing
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import cross_pairs
from harbor_verify.target import Target


@check(
    "configuration.token-key-same-on-every-replica",
    hint="Replicas that sign with different keys refuse each other's tokens: give all {web} replicas the same "
    "{token_key}, {after_change}. A key that each rendering of the manifests makes anew differs while they roll out, "
    "and ends every token: set one.",
    source="docker/libtrust: kid, the id of the key that a token is signed with",
    builds_on=("configuration.replicas-run-alike",),
)
def test_every_web_replica_signs_with_the_same_key(harbor: Target, findings: Findings):
    """All web replicas sign their tokens with the same key.

    Source: the key's id in the header of a token of each.
    """
    keys = {}
    for replica in harbor.replicas(Role.WEB):
        with findings.about(replica.object, "gives the suite's user a token"):
            keys[replica.object] = token_service.fetch(harbor.web(replica).http, harbor.user).key_id
    # Tokens that name no key agree on nothing.
    named = {place: key for place, key in keys.items() if key}
    usual = prevailing(named.values()) if named else ""
    expected = (
        f"signs with key {usual}, like most replicas" if usual else "names the key that it signs with (kid)"
    )
    for name, key in keys.items():
        if key != usual or not key:
            findings.wrong(name, expected, f"signs with key {key}" if key else "its token names no key")


@check(
    "configuration.registry-trusts-token-key",
    hint="Every {web} replica signs with {token_key}: give all the same, and where the registry checks tokens "
    "itself, all registries its certificate (rootcertbundle: openssl req -new -x509 -key private_key.pem -out "
    "root.crt); {after_change}. With equal key ids compare issuer, service and the clocks. A registry that takes a "
    "broken signature asks nobody: see configuration.registry-config-in-effect.",
    source="distribution: token authentication, rootcertbundle; docker/libtrust: kid",
    builds_on=("configuration.token-key-same-on-every-replica", "configuration.registry-config-in-effect"),
)
def test_every_registry_trusts_the_tokens_of_every_web_replica_and_no_others(
    harbor: Target, findings: Findings
):
    """Every replica that docker clients speak to accepts the tokens of every web replica, and no broken signature.

    Source: distribution, token authentication. Ordered pairs, because a key may be another on one replica only; of many
    replicas, round a ring (harbor_verify/replica_coverage.py).
    """
    tokens = {}
    for web in harbor.replicas(Role.WEB):
        with findings.about(web.object, "gives the suite's user a token"):
            tokens[web.name] = token_service.fetch(harbor.web(web).http, harbor.user)
    replicas = harbor.registry_api_replicas()
    pairs = cross_pairs(replicas, list(tokens.items()))
    for replica in replicas:
        trusted = None
        for name, token in [each for other, each in pairs if other is replica]:
            expected = f"accepts the token of {name}, signed with key {token.key_id}"
            with findings.about(replica.object, expected) as acceptance:
                answer = harbor.registry(replica).accepts(token.text)
                if answer.status_code == 200:
                    trusted = token
                else:
                    acceptance.wrong(summary(answer) + _trusted_by(replica, harbor))
        if trusted is None:
            continue
        # It was accepted before: it can be refused for its signature and for nothing else.
        forged = token_service.with_broken_signature(trusted.text)
        with findings.about(replica.object, "refuses a token whose signature is broken (401)") as refusal:
            answer = harbor.registry(replica).accepts(forged)
            if answer.status_code != 401:
                refusal.wrong(summary(answer))


def _trusted_by(replica, harbor):
    """The ids of the keys that a registry trusts, as far as its ConfigMaps and Secrets show them."""
    deployment = harbor.deployment
    files = configuration.given_texts(
        replica.pod.spec, replica.container, deployment.config_map, deployment.secret
    )
    for text in files.values():
        auth = configuration.registry_auth(text)
        if auth and (ids := token_keys.key_ids(files.get(auth.certificates, ""))):
            return f"; it trusts key {', '.join(ids)} of {auth.certificates}"
    return ""
