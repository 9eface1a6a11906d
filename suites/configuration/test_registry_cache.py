"""Where the registry keeps what it remembers of blobs."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model import configuration
from harbor_verify.model.registry_cache import named_redis
from harbor_verify.model.roles import Role
from harbor_verify.target import Target


@check(
    "configuration.registry-cache-follows-sentinels",
    hint="The redis section of the registry's config.yml names Sentinels, and no sentinelMasterSet: it speaks to a "
    "Sentinel as if that were a Redis, or takes several addresses for one, so it remembers nothing, and each pull and "
    "push asks the storage anew. Charts up to 1.19 leave the line out where Redis is reached by TLS "
    "(redis.external.tlsOptions). Name one address that follows the primary there, as a load balancer's, or add "
    "sentinelMasterSet with the primary's name; {after_change}.",
    source="goharbor/harbor-helm: registry-cm.yaml; distribution: redis.addr; Redis Sentinel protocol",
    severity=SHOULD,
)
def test_the_registrys_cache_is_told_of_its_sentinels(harbor: Target, findings: Findings, not_applicable):
    """Where a registry's configuration names Sentinels, it also says of which primary.

    Source: redis.addr and redis.sentinelMasterSet of the file that each replica mounts, and the Sentinels of the
    session store's setting. That the registry then finds the primary is not looked at.
    """
    store = harbor.session_store()
    sentinels = set(store.sentinels) if store else set()
    for replica in harbor.replicas(Role.REGISTRY):
        texts = configuration.given_texts(
            replica.pod.spec, replica.container, harbor.deployment.config_map, harbor.deployment.secret
        ).values()
        for text in filter(configuration.is_registry_config, texts):
            if (cache := named_redis(text, {})) is None:
                continue
            with findings.about(
                replica.object, "its Redis is one, or the primary that Sentinels name"
            ) as redis:
                if cache.primary:
                    continue
                if len(cache.addresses) > 1:
                    redis.wrong(f"redis.addr {', '.join(cache.addresses)} is taken for one address")
                elif sentinels & set(cache.addresses):
                    redis.wrong(f"redis.addr {cache.addresses[0]} is a Sentinel, and is taken for a Redis")
    if not findings.examined:
        not_applicable(
            "no ConfigMap or Secret tells the registry of a Redis: it keeps nothing there, or is told otherwise"
        )
