"""A container's environment, as Kubernetes makes it."""

import pytest
from kubernetes import client

from harbor_verify.model.environment import environment_of

SECRETS = {"redis": {"REDIS_PASSWORD": "p@ss"}}
NAMES = {"settings": {"HOST": "redis", "TEXT": "$(HOST)"}}


def variable(name, value=None, secret=None, key=None):
    source = None
    if secret:
        source = client.V1EnvVarSource(secret_key_ref=client.V1SecretKeySelector(name=secret, key=key))
    return client.V1EnvVar(name=name, value=value, value_from=source)


def environment(*variables):
    config_map = client.V1EnvFromSource(config_map_ref=client.V1ConfigMapEnvSource(name="settings"))
    container = client.V1Container(name="core", env_from=[config_map], env=list(variables))
    return environment_of(container, NAMES.get, SECRETS.get)


PASSWORD = variable("REDIS_PASSWORD", secret="redis", key="REDIS_PASSWORD")


def test_a_reference_is_the_variable_of_before():
    found = environment(PASSWORD, variable("URL", "redis://:$(REDIS_PASSWORD)@$(HOST):6379/0"))
    assert found["URL"] == "redis://:p@ss@redis:6379/0"


@pytest.mark.parametrize(
    "value, expected",
    [
        ("$(LATER)", "$(LATER)"),
        ("$(NOBODY)", "$(NOBODY)"),
        ("$$(HOST)", "$(HOST)"),
        ("a$b $HOST ${HOST}", "a$b $HOST ${HOST}"),
        ("", ""),
    ],
)
def test_what_refers_to_nothing_or_to_what_comes_later_stays_as_it_is(value, expected):
    assert environment(variable("X", value), variable("LATER", "y"))["X"] == expected


def test_what_comes_whole_from_elsewhere_refers_to_nothing():
    assert environment()["TEXT"] == "$(HOST)"
