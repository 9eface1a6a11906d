"""Where the environment of a core of Harbor 2.x says that the database and the sessions are."""

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.profiles.harbor_2 import internal_tls, registry_login
from harbor_verify.profiles.harbor_2.stores import database, session_store

DATABASE = {
    "POSTGRESQL_HOST": "postgresql",
    "POSTGRESQL_PORT": "5432",
    "POSTGRESQL_USERNAME": "harbor",
    "POSTGRESQL_PASSWORD": "hush",
    "POSTGRESQL_DATABASE": "registry",
    "POSTGRESQL_SSLMODE": "disable",
}


def core(setting):
    return session_store({"_REDIS_URL_CORE": setting})


@pytest.mark.parametrize(
    "setting, store",
    [
        ("redis://redis:6379/0?idle_timeout_seconds=30", SessionStore("redis", 6379, "", 0)),
        ("redis://:hush@redis:6380/3", SessionStore("redis", 6380, "hush", 3)),
        ("redis://harbor:hush@redis", SessionStore("redis", 6379, "hush", 0, user="harbor")),
        ("redis://redis/", SessionStore("redis", 6379, "", 0)),
        ("redis://:hu%40sh%2F@redis/1", SessionStore("redis", 6379, "hu@sh/", 1)),
        ("rediss://:hush@redis:6379/1", SessionStore("redis", 6379, "hush", 1, tls=True)),
        (
            "redis+sentinel://:hush@s1:26379,s2:26380,s3/harbor/2?idle_timeout_seconds=30",
            SessionStore(
                "s1", 26379, "hush", 2, primary="harbor", sentinels=("s1:26379", "s2:26380", "s3:26379")
            ),
        ),
        (
            # As core takes it: database 0.
            "redis+sentinel://s1/harbor",
            SessionStore("s1", 26379, "", 0, primary="harbor", sentinels=("s1:26379",)),
        ),
        (
            "rediss+sentinel://u:hush@s1/harbor/0",
            SessionStore("s1", 26379, "hush", 0, "u", True, "harbor", ("s1:26379",)),
        ),
    ],
)
def test_every_form_of_the_setting_is_read(setting, store):
    assert core(setting) == store


def test_without_the_setting_sessions_are_in_memory_whatever_else_is_set():
    assert session_store({}) is core("") is None
    assert session_store({"_REDIS_URL_HARBOR": "redis://redis:6379/0"}) is None


def test_sentinels_are_told_with_the_name_of_their_primary_and_no_password():
    told = str(core("redis+sentinel://:hush@s1,s2/harbor/2"))
    assert told == "primary harbor of the Sentinels s1:26379, s2:26379, database 2"
    assert "hush" not in repr(core("redis://:hush@redis/0"))


@pytest.mark.parametrize(
    "setting, told",
    [
        ("redis:6379,100,hush,0", "does not begin with redis://, rediss://"),
        ("redis:6379/0", "does not begin with redis://"),
        ("http://:hush@redis:6379/0", "does not begin with redis://"),
        ("redis://:hush@[redis/0", "is no URL"),
        ("redis://:hush@redis:port/0", "a port that is not a number"),
        ("redis://:hush@/0", "a host without a name"),
        ("redis+sentinel://:hush@s1,,s3/harbor/0", "a host without a name"),
        ("redis://:hush@redis/zero", "is not a number"),
        ("redis+sentinel://:hush@s1,s2/0", "names no primary"),
        ("redis+sentinel://:hush@s1,s2", "names no primary"),
        ("redis://:hush@redis/harbor/0", "names a primary, which only"),
    ],
)
def test_a_setting_that_core_cannot_read_is_told_without_its_password(setting, told):
    with pytest.raises(WrongConfiguration, match=told) as wrong:
        core(setting)
    assert "hush" not in str(wrong.value)
    assert "_REDIS_URL_CORE" in str(wrong.value)


def test_the_database_is_that_of_the_variables():
    wanted = Database("postgresql", "postgresql", 5432, "harbor", "hush", "registry", "disable")
    assert database(DATABASE) == wanted
    assert str(wanted) == "registry at postgresql:5432 as harbor"
    assert database({**DATABASE, "POSTGRESQL_SSLMODE": ""}).tls == ""


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"POSTGRESQL_HOST": "", "POSTGRESQL_DATABASE": ""}, "without POSTGRESQL_HOST, POSTGRESQL_DATABASE"),
        ({"POSTGRESQL_PORT": "tcp://198.51.100.1:5432"}, "POSTGRESQL_PORT is 'tcp://.*, not a number"),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes, told):
    with pytest.raises(WrongConfiguration, match=told) as wrong:
        database({**DATABASE, **changes})
    assert "hush" not in str(wrong.value)


def test_the_login_for_the_registry_is_that_of_core():
    names = ("REGISTRY_CREDENTIAL_USERNAME", "REGISTRY_CREDENTIAL_PASSWORD")
    login = registry_login(dict(zip(names, ("inner", "hush"), strict=True)))
    assert (login.user, login.password) == ("inner", "hush")
    with pytest.raises(WrongConfiguration, match="REGISTRY_CREDENTIAL_PASSWORD"):
        registry_login({names[0]: "inner"})


def test_a_component_serves_with_a_certificate_only_where_tls_is_on():
    certificate = {"INTERNAL_TLS_CERT_PATH": "/etc/harbor/ssl/core/tls.crt"}
    assert internal_tls(certificate) == internal_tls({**certificate, "INTERNAL_TLS_ENABLED": "false"}) == ""
    assert internal_tls({**certificate, "INTERNAL_TLS_ENABLED": "true"}) == "/etc/harbor/ssl/core/tls.crt"
    assert "INTERNAL_TLS_CERT_PATH" in internal_tls({"INTERNAL_TLS_ENABLED": "true"})
