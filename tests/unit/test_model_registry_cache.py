"""Where a registry's configuration says that its Redis is."""

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.registry_cache import registry_cache
from harbor_verify.model.stores import SessionStore

CACHED = "version: 0.1\nstorage: {filesystem: {}, cache: {layerinfo: redis}}\n"


def test_the_address_is_the_files_and_the_password_the_environments():
    text = f"{CACHED}redis: {{addr: 'redis.example:6380', db: 2}}"
    assert registry_cache(text, {"REGISTRY_REDIS_PASSWORD": "hush"}) == SessionStore(
        "redis.example", 6380, password="hush", database=2
    )


def test_with_sentinels_the_primary_is_named():
    text = f"{CACHED}redis: {{addr: 's1:26379,s2:26380', db: 2, sentinelMasterSet: mymaster, password: x}}"
    found = registry_cache(text, {})
    assert (found.primary, found.sentinels) == ("mymaster", ("s1:26379", "s2:26380"))


def test_by_the_newer_word_with_tls_and_without_a_port():
    text = "storage: {cache: {blobdescriptor: redis}}\nredis: {addr: redis, enabletls: true}"
    found = registry_cache(text, {"REGISTRY_REDIS_DB": "5"})
    assert (found.port, found.tls, found.database) == (6379, True, 5)


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        # As goharbor/harbor-helm writes it from 1.17 on (redis.external.tlsOptions.enable).
        ("enableTLS: true", {}),
        ("enabletls: true", {}),
        ("tls: {enabled: true}", {}),
        ("db: 0", {"REGISTRY_REDIS_ENABLETLS": "true"}),
        ("db: 0", {"REGISTRY_REDIS_TLS_ENABLED": "true"}),
    ],
)
def test_tls_is_spoken_however_its_name_is_spelled(settings, environment):
    found = registry_cache(f"{CACHED}redis: {{addr: 'r:6380', {settings}}}", environment)
    assert found is not None
    assert found.tls


@pytest.mark.parametrize("settings", ["db: 0", "enableTLS: false", "tls: {enabled: false}", "tls: {}"])
def test_without_tls_none_is_spoken(settings):
    assert not registry_cache(f"{CACHED}redis: {{addr: 'r:6380', {settings}}}", {}).tls


@pytest.mark.parametrize(
    "text",
    [
        "storage: {cache: {blobdescriptor: inmemory}}\nredis: {addr: 'r:1'}",
        "storage: {filesystem: {}}\nredis: {addr: 'r:1'}",
        f"{CACHED}redis: {{addr: 's1:26379,s2:26379'}}",
        CACHED,
        "- no\n- mapping",
        "{",
    ],
)
def test_where_no_redis_keeps_descriptors_there_is_none(text):
    assert registry_cache(text, {}) is None


def test_a_database_that_is_no_number_is_told():
    with pytest.raises(WrongConfiguration, match="no number"):
        registry_cache(f"{CACHED}redis: {{addr: 'r:6379', db: first}}", {})
