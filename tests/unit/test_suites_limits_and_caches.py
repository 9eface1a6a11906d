"""The checks of what the front door limits, and of the Redis that the registry is told of, on whole small Harbors."""

import pytest
import yaml

from harbor_verify.errors import NotApplicable
from harbor_verify.model import body_limits
from suites.configuration.test_body_limits import test_the_front_door_is_told_of_no_limit as body_limit
from suites.configuration.test_registry_cache import (
    test_the_registrys_cache_is_told_of_its_sentinels as cache,
)
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.test_suites_drift import part
from tests.unit.whole_harbors import harbor_of

SENTINELS = "s1.example:26379,s2.example:26379"
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "harbor-core"},
    "spec": {"selector": {"component": "core"}, "ports": [{"port": 80}]},
}


def with_file(component, image, path, text):
    name, key = path.rpartition("/")[2].replace(".", "-"), path.rpartition("/")[2]
    mounts = [{"name": "config", "mountPath": path, "subPath": key}]
    volumes = [{"name": "config", "configMap": {"name": name}}]
    return [
        part(component, image, container={"volumeMounts": mounts}, volumes=volumes),
        {"kind": "ConfigMap", "metadata": {"name": name}, "data": {key: text}},
    ]


def _ingress(annotations, service, host):
    path = {"pathType": "Prefix", "backend": {"service": {"name": service}}}
    rule = {"http": {"paths": [path]}, **({"host": host} if host else {})}
    metadata = {"name": "harbor", "annotations": annotations}
    return {"kind": "Ingress", "metadata": metadata, "spec": {"rules": [rule]}}


def text_of(
    *,
    redis=None,
    url=f"redis+sentinel://{SENTINELS}/primary/0",
    nginx=None,
    annotations=None,
    before="harbor-core",
    host="",
):
    """A Harbor whose registry, core, nginx and Ingress are told this; None: there is no such thing.

    The Ingress leads to the Service `before`, by its `host` alone where there is one; Harbor's URL is https://h.
    """
    environment = [{"name": "_REDIS_URL_CORE", "value": url}]
    configuration = {"version": 0.1, "storage": {"filesystem": {}}, **({"redis": redis} if redis else {})}
    objects = [
        part("core", "harbor-core", container={"env": environment}),
        SERVICE,
        *with_file("registry", "registry-photon", "/etc/registry/config.yml", yaml.safe_dump(configuration)),
        *(with_file("nginx", "nginx-photon", "/etc/nginx/nginx.conf", nginx) if nginx is not None else ()),
        *([_ingress(annotations, before, host)] if annotations is not None else ()),
    ]
    if nginx is not None:
        service = {"selector": {"component": "nginx"}, "ports": [{"port": 443}]}
        objects.append({"kind": "Service", "metadata": {"name": "harbor"}, "spec": service})
    return yaml.safe_dump_all(objects)


def observed(check, **given):
    with harbor_of(text_of(**given)) as (harbor, _):
        return {(offender.object, offender.observed) for offender in offenders_of(check, harbor)}


def pass_or_end(check, ends=never, **given):
    with harbor_of(text_of(**given)) as (harbor, _):
        examine(check, harbor, not_applicable=ends)


@pytest.mark.parametrize(
    "redis, url",
    [
        ({"addr": SENTINELS, "sentinelMasterSet": "primary"}, f"rediss+sentinel://{SENTINELS}/primary/0"),
        ({"addr": "redis.example:6379"}, f"redis+sentinel://{SENTINELS}/primary/0"),
        ({"addr": "redis.example:6379"}, "redis://redis.example:6379/0"),
    ],
)
def test_a_redis_or_a_primary_by_name_is_well(redis, url):
    pass_or_end(cache, redis=redis, url=url)


@pytest.mark.parametrize(
    "addresses, words",
    [
        (SENTINELS, "redis.addr s1.example:26379, s2.example:26379 is taken for one address"),
        ("s2.example:26379", "redis.addr s2.example:26379 is a Sentinel, and is taken for a Redis"),
    ],
)
def test_a_registry_that_is_not_told_the_primarys_name_is_red(addresses, words):
    by_tls = f"rediss+sentinel://{SENTINELS}/primary/0"
    wrong = observed(cache, redis={"addr": addresses}, url=by_tls)
    assert len(wrong) == 3, "each replica"
    assert {said for _, said in wrong} == {words}


def test_a_registry_without_redis_has_none_to_lose():
    with pytest.raises(NotApplicable, match="tells the registry of a Redis"):
        pass_or_end(cache, ends=not_applicable)


NGINX = "http { server { listen 8080; %s location / { } } }"


@pytest.mark.parametrize("value", ["0", "0m"])
def test_an_nginx_without_limit_is_well(value):
    pass_or_end(body_limit, nginx=NGINX.replace("server", "\n server") % f"client_max_body_size {value};")


@pytest.mark.parametrize(
    "directive, words",
    [
        ("client_max_body_size 512m;", "/etc/nginx/nginx.conf says client_max_body_size 512m"),
        ("", "/etc/nginx/nginx.conf says nothing, so nginx takes 1 MiB"),
    ],
)
def test_a_limit_of_nginx_is_told(directive, words):
    given = NGINX.replace("server", "\n server") % directive
    assert {words for _, words in observed(body_limit, nginx=given)} == {words}


def test_an_nginx_whose_configuration_is_elsewhere_is_not_verified():
    with pytest.raises(NotApplicable, match="NOT verified"):
        pass_or_end(body_limit, ends=not_applicable, nginx="worker_processes 1;")


def test_an_ingress_that_is_told_of_no_limit_is_well_and_of_one_is_red():
    name = "nginx.ingress.kubernetes.io/proxy-body-size"
    pass_or_end(body_limit, annotations={name: "0"})
    assert observed(body_limit, annotations={name: "100m"}) == {
        ("Ingress harbor/harbor", f"its annotations say {name}: 100m")
    }


WITHOUT_LIMIT = NGINX.replace("server", "\n server") % "client_max_body_size 0;"
SIZE = "nginx.ingress.kubernetes.io/proxy-body-size"


@pytest.mark.parametrize("host", ["", "h"])
def test_of_an_nginx_behind_an_ingress_both_are_judged(host):
    given = {"nginx": WITHOUT_LIMIT, "before": "harbor", "host": host}
    pass_or_end(body_limit, annotations={SIZE: "0"}, **given)
    assert observed(body_limit, annotations={SIZE: "100m"}, **given) == {
        ("Ingress harbor/harbor", f"its annotations say {SIZE}: 100m")
    }


def test_an_ingress_by_another_name_is_not_the_way_of_clients():
    pass_or_end(
        body_limit, nginx=WITHOUT_LIMIT, before="harbor", host="other.example", annotations={SIZE: "1m"}
    )


@pytest.mark.parametrize(
    "url, is_judged", [("https://h:443", True), ("http://h", True), ("https://h:30003", False)]
)
def test_an_ingress_is_not_the_way_of_who_comes_to_a_port_of_the_nodes(url, is_judged):
    text = text_of(nginx=WITHOUT_LIMIT, before="harbor", annotations={SIZE: "1m"})
    with harbor_of(text) as (harbor, _):
        harbor.access.url = url
        if is_judged:
            assert offenders_of(body_limit, harbor)
        else:
            examine(body_limit, harbor)


def test_an_ingress_that_says_nothing_and_an_nginx_whose_configuration_is_elsewhere_are_not_verified():
    given = {"nginx": "worker_processes 1;", "before": "harbor"}
    with pytest.raises(NotApplicable, match="NOT verified"):
        pass_or_end(body_limit, ends=not_applicable, annotations={SIZE: "0"}, **given)
    assert observed(body_limit, annotations={SIZE: "1m"}, **given)


def test_an_ingress_that_says_nothing_and_no_ingress_are_not_applicable():
    for annotations in ({}, None):
        with pytest.raises(NotApplicable, match=r"only images\.layer-sizes tried it"):
            pass_or_end(body_limit, ends=not_applicable, annotations=annotations)


def test_a_directive_in_a_comment_is_none_and_of_two_the_limit_counts():
    text = "http {\n # client_max_body_size 1m;\n client_max_body_size 0;\n server {\n client_max_body_size 8k; } }"
    assert body_limits.of_nginx(text) == ["client_max_body_size 8k"]
