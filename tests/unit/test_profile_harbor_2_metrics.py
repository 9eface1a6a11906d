"""Where Harbor 2.x tells its metrics, by what its containers are given."""

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.metrics import MetricsEndpoint
from harbor_verify.model.roles import Role
from harbor_verify.profiles.harbor_2.metrics import of_exporter, of_replica

DEBUG = "REGISTRY_HTTP_DEBUG"


def registry(text, **environment):
    return of_replica(Role.REGISTRY, {"/etc/x": "a: b", "/etc/config.yml": text}, environment)


def test_core_has_them_where_it_is_told_so_and_where_it_is_told():
    assert of_replica(Role.WEB, {}, {}) is None
    assert of_replica(Role.WEB, {}, {"METRIC_ENABLE": "false", "METRIC_PORT": "8001"}) is None
    found = of_replica(
        Role.WEB, {}, {"METRIC_ENABLE": "true", "METRIC_NAMESPACE": "h", "METRIC_SUBSYSTEM": "c"}
    )
    assert found == MetricsEndpoint(
        9090, "/metrics", always=("h_c_http_inflight_requests",), requests="h_c_http_request_total"
    )


@pytest.mark.parametrize(
    "text", ["", "storage: {}", "storage: {}\nhttp: {debug: {addr: ':5001'}}", "storage: []"]
)
def test_a_registry_whose_debug_port_is_without_them_has_none(text):
    assert registry(text) is None


def test_a_registry_says_where_in_its_file_or_in_variables_that_win_over_it():
    text = "storage: {}\nhttp: {debug: {addr: ':8001', prometheus: {enabled: true, path: /m}}}"
    found = registry(text)
    assert (found.port, found.path, found.is_local) == (8001, "/m", False)
    found = registry(text, **{f"{DEBUG}_ADDR": "127.0.0.1:5001"})
    assert (found.port, found.is_local) == (5001, True)
    assert registry(text, **{f"{DEBUG}_PROMETHEUS_ENABLED": "false"}) is None
    with pytest.raises(WrongConfiguration, match="not a number"):
        registry(text, **{f"{DEBUG}_ADDR": "localhost"})


def test_jobservice_says_it_in_its_file():
    files = {"/c": "worker_pool: {}\nmetric: {enabled: true, path: /m, port: 1}"}
    assert of_replica(Role.JOB, files, {}) == MetricsEndpoint(1, "/m", always=("info",))
    assert of_replica(Role.JOB, {"/c": "worker_pool: {}"}, {}) is None
    assert of_replica(Role.PAGE, files, {"METRIC_ENABLE": "true"}) is None


def test_an_exporter_is_known_by_its_own_port():
    assert of_exporter({"LOG_LEVEL": "info"}) is None
    found = of_exporter({"HARBOR_EXPORTER_PORT": "8001", "HARBOR_EXPORTER_CACHE_TIME": "23"})
    assert (found.port, found.path, found.tls, found.oldest_s) == (8001, "/metrics", False, 23)
    assert of_exporter({"HARBOR_EXPORTER_PORT": "1", "HARBOR_EXPORTER_TLS_ENABLED": "true"}).tls
    with pytest.raises(WrongConfiguration, match="HARBOR_EXPORTER_CACHE_TIME is 'x'"):
        of_exporter({"HARBOR_EXPORTER_PORT": "1", "HARBOR_EXPORTER_CACHE_TIME": "x"})
