"""Whom the registry trusts: tokens that Harbor signs, and no others."""

from fixtures.checks import check
from fixtures.clients import token_service
from fixtures.clients.http import summary
from fixtures.errors import AnswerError
from fixtures.model import configuration, token_keys
from fixtures.model.roles import Role
from fixtures.verdict import Offender, judge


@check(
    "configuration.registry-trusts-token-key",
    hint="Every ui signs with its private_key.pem, every registry trusts the certificates of its rootcertbundle: give "
    "all ui replicas the same key, all registries its certificate (openssl req -new -x509 -key private_key.pem -out "
    "root.crt), and delete the pods of whichever was wrong. With equal key ids compare issuer, service and the clocks. "
    "A registry that takes a broken signature asks nobody: see configuration.registry-config-in-effect.",
    source="distribution: token authentication, rootcertbundle; docker/libtrust: kid",
)
def test_every_registry_trusts_the_tokens_of_every_web_replica_and_no_others(harbor):
    """Every registry replica accepts the tokens of every web replica, and refuses one whose signature is broken.

    Source: distribution, token authentication. Ordered pairs, because a key may be another on one replica only.
    """
    registries = harbor.replicas(Role.REGISTRY)
    offenders, tokens = [], {}
    for web in harbor.replicas(Role.WEB):
        try:
            tokens[web.name] = token_service.fetch(harbor.web(web).http, harbor.credentials)
        except AnswerError as refusal:
            offenders.append(Offender(web.object, f"gives {harbor.credentials.user} a token", str(refusal)))
    for replica in registries:
        trusted = None
        for name, token in tokens.items():
            expected = f"accepts the token of {name}, signed with key {token.key_id}"
            try:
                answer = harbor.registry(replica).accepts(token.text)
            except AnswerError as silence:
                offenders.append(Offender(replica.object, expected, str(silence)))
                continue
            if answer.status_code == 200:
                trusted = token
            else:
                observed = summary(answer) + _trusted_by(replica, harbor)
                offenders.append(Offender(replica.object, expected, observed))
        if trusted and (seen := _not_refused(harbor.registry(replica), trusted)):
            offenders.append(
                Offender(replica.object, "refuses a token whose signature is broken (401)", seen)
            )
    judge(offenders, examined=len(registries) * len(tokens))


def _not_refused(registry, trusted):
    """What a registry says to a token with a broken signature, when it does not refuse it.

    It is one that was accepted before: it can be refused for its signature and for nothing else.
    """
    try:
        answer = registry.accepts(token_service.with_broken_signature(trusted.text))
    except AnswerError as silence:
        return str(silence)
    return "" if answer.status_code == 401 else summary(answer)


def _trusted_by(replica, harbor):
    """The ids of the keys that a registry trusts, as far as its ConfigMaps show them."""
    files = configuration.mounted_texts(replica.pod.spec, replica.container, harbor.deployment.config_map)
    for text in files.values():
        auth = configuration.token_auth(text)
        if auth and (ids := token_keys.key_ids(files.get(auth.certificates, ""))):
            return f"; it trusts key {', '.join(ids)} of {auth.certificates}"
    return ""
