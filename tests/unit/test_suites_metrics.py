"""The checks of metrics, on replicas and an exporter that tell what they are told to."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import requests
import yaml

from harbor_verify import scraping
from harbor_verify.clients.capabilities import Health
from harbor_verify.errors import CannotTell, NoAnswer, NotApplicable, UnexpectedAnswer
from harbor_verify.model.metrics import metrics_of
from suites.configuration import test_exporter, test_metrics
from suites.configuration.test_exporter import test_the_exporter_tells_what_the_api_tells as true
from suites.configuration.test_metrics import test_every_replica_counts_the_requests_that_it_answers as counts
from suites.configuration.test_metrics import test_every_replica_that_has_metrics_tells_them as served
from tests.unit.running import examine, offenders_of
from tests.unit.whole_harbors import harbor_of

LABELS = {"app": "harbor", "release": "harbor"}
OFF = {"METRIC_ENABLE": "false"}
CORE = {
    "METRIC_ENABLE": "true",
    "METRIC_PORT": "8001",
    "METRIC_PATH": "/metrics",
    "METRIC_NAMESPACE": "harbor",
    "METRIC_SUBSYSTEM": "core",
}
JOBS = "worker_pool: {}\nmetric: {enabled: true, path: /metrics, port: 8001}\n"
REGISTRY = "storage: {}\nhttp: {debug: {addr: '%s', prometheus: {enabled: true, path: /metrics}}}\n"
EXPORTER = {"HARBOR_EXPORTER_PORT": "8001", "HARBOR_EXPORTER_CACHE_TIME": "23"}
UPS = {"core": 1, "database": 1}


def part(component, image, replicas, *, environment=None, config_map=""):
    container = {"name": component, "image": f"goharbor/{image}:v2"}
    container["env"] = [{"name": name, "value": value} for name, value in (environment or {}).items()]
    volumes = []
    if config_map:
        container["volumeMounts"] = [{"name": "c", "mountPath": "/etc/c/config.yml", "subPath": "config.yml"}]
        volumes = [{"name": "c", "configMap": {"name": config_map}}]
    labels = {**LABELS, "component": component}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}
    return {
        "kind": "Deployment",
        "metadata": {"name": f"harbor-{component}", "labels": labels},
        "spec": {"replicas": replicas, "template": template, "selector": {"matchLabels": labels}},
    }


class Pods:
    """What each pod tells, by its name: a text, or an exception; and how it counts."""

    def __init__(self, target):
        self._target = target
        self.told, self.requests, self.counts = {}, {}, {}
        self.up, self.health, self.projects = dict(UPS), 1, 3

    def open(self, kubernetes, *, pod, port, tls, forward, **_):
        assert (port, tls) == (8001, False)
        return SimpleNamespace(get=lambda path: self._answer(pod, path), close=lambda: None)

    def link(self, replica):
        return SimpleNamespace(get=lambda path: self._asked(replica.pod_name, path), close=lambda: None)

    def _asked(self, pod, path):
        assert path == "/v2/"
        self.requests[pod] = self.requests.get(pod, 100) + self.counts.get(pod, 1)
        return response(401, "")

    def _answer(self, pod, path):
        assert path == "/metrics"
        told = self.told[pod] if pod in self.told else self._usual(pod)
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, requests.Response) else response(200, told)

    def _usual(self, pod):
        count = self.requests.get(pod, 100)
        if "-core-" in pod:
            name = "harbor_core_http_request_total"
            return f'harbor_core_http_inflight_requests 1\n{name}{{code="200"}} 40\n{name}{{code="401"}} {count}\n'
        if "-jobservice-" in pod:
            return 'harbor_jobservice_info{node="a",pool="b",workers="10"} 1\n'
        if "-registry-" in pod:
            return f'registry_http_in_flight_requests{{handler="base"}} 0\nregistry_http_requests_total {count}\n'
        ups = "".join(f'harbor_up{{component="{name}"}} {value}\n' for name, value in self.up.items())
        health = "" if self.health is None else f"harbor_health {self.health}\n{ups}"
        return f"{health}harbor_statistics_total_project_amount {self.projects}\n"


def response(status, text):
    made = requests.Response()
    made.status_code, made._content = status, text.encode()
    made.request = requests.Request("GET", "http://pod/metrics").prepare()
    return made


class Front:
    """Harbor's API."""

    def __init__(self):
        self.report, self.projects = Health("healthy", dict.fromkeys(UPS, "healthy")), [3]

    def version(self, login):
        return "v2"

    def authentication_mode(self):
        return "db_auth"

    def health(self):
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def count_of_projects(self, credentials):
        return self.projects.pop(0) if len(self.projects) > 1 else self.projects[0]


@contextmanager
def harbor(monkeypatch, *, core=None, jobs=JOBS, registry=":8001", exporter=EXPORTER, exporters=1):
    objects = [
        part("core", "harbor-core", 3, environment=CORE if core is None else core),
        part(
            "jobservice",
            "harbor-jobservice",
            2,
            config_map="jobs",
            environment={"METRIC_NAMESPACE": "harbor", "METRIC_SUBSYSTEM": "jobservice"},
        ),
        part("registry", "registry-photon", 3, config_map="registry"),
        {"kind": "ConfigMap", "metadata": {"name": "jobs"}, "data": {"config.yml": jobs}},
        {
            "kind": "ConfigMap",
            "metadata": {"name": "registry"},
            "data": {"config.yml": REGISTRY % registry if registry else "storage: {}\n"},
        },
    ]
    if exporter is not None:
        objects.append(part("exporter", "harbor-exporter", exporters, environment=exporter))
    with harbor_of(yaml.safe_dump_all(objects)) as (target, _):
        pods = Pods(target)
        vars(target).update(new_link=pods.link, front_door=Front())
        monkeypatch.setattr(scraping, "open_link", pods.open)
        monkeypatch.setattr(test_metrics, "_LATE_S", 0.1)
        monkeypatch.setattr(test_exporter, "_MARGIN_S", 0.2)
        monkeypatch.setattr(test_exporter, "_OLDEST_S", 0)
        monkeypatch.setattr(test_exporter, "_INTERVAL_S", 0.05)
        yield target, pods


def judged(check, target):
    measured = {}
    examine(check, target, not_applicable=not_applicable, measured=measured)
    return measured


def not_applicable(reason):
    raise NotApplicable(reason)


def red(check, target):
    found = offenders_of(lambda: judged(check, target))
    return {each.object.split()[1].partition("/")[2]: each.observed for each in found}


def test_where_each_replica_tells_its_metrics_and_the_exporter_the_truth_all_is_well(monkeypatch):
    with harbor(monkeypatch) as (target, _):
        assert judged(served, target) == {"metrics_endpoints_count": 8}
        assert judged(counts, target) == {"replicas_that_count_requests_count": 6}
        assert judged(true, target) == {"exporter_pods_count": 1}


def test_where_metrics_are_switched_off_there_is_nothing_to_say(monkeypatch):
    with harbor(monkeypatch, core=OFF, jobs="worker_pool: {}", registry="", exporter=None) as (target, _):
        for check, why in ((served, "in no part"), (counts, "no replica"), (true, "no exporter")):
            with pytest.raises(NotApplicable, match=why):
                judged(check, target)


def test_a_part_without_metrics_is_passed_over(monkeypatch):
    with harbor(monkeypatch, jobs="worker_pool: {}\nmetric: {enabled: false}") as (target, _):
        assert judged(served, target) == {"metrics_endpoints_count": 6}


def test_who_was_started_without_is_red_and_nobody_else(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        pods.told["harbor-core-1"] = NoAnswer(
            "GET /metrics at harbor-core-1: no answer (refused)", sent=False
        )
        assert red(served, target).keys() == red(counts, target).keys() == {"harbor-core-1"}


def test_one_that_is_declared_without_is_red(monkeypatch):
    with harbor(monkeypatch) as (target, _):
        of = scraping.endpoint_of
        monkeypatch.setattr(
            scraping, "endpoint_of", lambda t, r: None if r.pod_name == "harbor-core-2" else of(t, r)
        )
        assert red(served, target) == {"harbor-core-2": "by its settings it has none"}
        assert judged(counts, target) == {"replicas_that_count_requests_count": 5}


@pytest.mark.parametrize(
    ("told", "observed"),
    [
        ("<html>404</html>", "which is no metrics"),
        (response(404, "404 page not found"), "→ 404"),
        ("go_goroutines 7\n", "tells nothing of harbor_jobservice_info"),
        ("", "no metric is told"),
    ],
)
def test_what_is_answered_has_to_be_metrics_of_that_part(monkeypatch, told, observed):
    with harbor(monkeypatch) as (target, pods):
        pods.told["harbor-jobservice-0"] = told
        found = red(served, target)
        assert found.keys() == {"harbor-jobservice-0"}
        assert observed in found["harbor-jobservice-0"]


def test_metrics_that_only_the_pod_itself_reaches_are_none(monkeypatch):
    with harbor(monkeypatch, registry="localhost:8001") as (target, _):
        found = red(served, target)
        assert found.keys() == {f"harbor-registry-{number}" for number in range(3)}
        assert set(found.values()) == {"it listens on localhost:8001, which only the pod reaches"}
        judged(counts, target)


def test_a_port_that_is_none_is_told_where_it_stands(monkeypatch):
    with harbor(monkeypatch, core={**CORE, "METRIC_PORT": "http"}) as (target, _):
        assert red(served, target)["harbor-core-0"] == "METRIC_PORT is 'http', not a number"


def test_counters_that_stand_still_are_red_and_those_that_count_too_much_are_not(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        pods.counts.update({"harbor-registry-1": 0, "harbor-registry-2": 7})
        assert red(counts, target) == {
            "harbor-registry-1": "registry_http_requests_total was 100 in all, and is 100"
        }


def test_counters_that_began_anew_say_nothing(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        pods.counts["harbor-core-0"] = -5
        with pytest.raises(CannotTell, match="began anew"):
            judged(counts, target)


def test_silence_within_the_cluster_may_be_a_network_policy(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        monkeypatch.setattr(target.kubernetes, "inside", True)
        monkeypatch.setattr(target.kubernetes, "may_forward", lambda namespace: False)
        pods.told["harbor-core-1"] = NoAnswer("timed out", sent=False)
        with pytest.raises(CannotTell, match="NetworkPolicy"):
            judged(served, target)


@pytest.mark.parametrize(
    ("doctored", "observed"),
    [
        ({"health": 0}, "harbor_health is 0, and the API says the contrary"),
        ({"health": None}, "it tells no harbor_health: it gets no health report from Harbor"),
        (
            {"up": {"core": 1, "database": 0}},
            'harbor_up of component="database" is 0, and the API says the contrary',
        ),
        ({"up": {"core": 1}}, 'harbor_up tells nothing of component="database"'),
        ({"projects": 0}, "harbor_statistics_total_project_amount is 0, and by the API there are 3"),
    ],
)
def test_an_exporter_that_tells_something_else_is_red(monkeypatch, doctored, observed):
    with harbor(monkeypatch) as (target, pods):
        vars(pods).update(doctored)
        assert red(true, target) == {"harbor-exporter-0": observed}


def test_an_exporter_that_calls_what_is_not_well_not_well_is_right(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        target.front_door.report = Health("unhealthy", {"core": "healthy", "database": "unhealthy: refused"})
        pods.health, pods.up = 0, {"core": 1, "database": 0}
        judged(true, target)
        pods.health, pods.up = 1, dict(UPS)
        assert red(true, target).keys() == {"harbor-exporter-0"}


def test_what_the_api_said_at_any_time_meanwhile_counts_as_true(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        target.front_door.projects, pods.projects = [3, 5, 9], 4
        judged(true, target)


def test_an_exporter_that_does_not_answer_is_red_and_so_is_one_without_a_pod(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        pods.told["harbor-exporter-0"] = NoAnswer("no answer (nothing listens)", sent=False)
        assert red(true, target) == {"harbor-exporter-0": "no answer (nothing listens)"}
        monkeypatch.setattr(target.deployment, "pods_of", lambda item: [])
        (offender,) = offenders_of(lambda: judged(true, target))
        assert (offender.object, offender.observed) == ("exporter harbor/harbor-exporter", "it has none")


def test_one_that_is_not_at_work_is_called_what_it_is(monkeypatch):
    with harbor(monkeypatch) as (target, pods):
        pods.told["harbor-exporter-0"] = NoAnswer("no answer", sent=False)
        monkeypatch.setattr(test_exporter, "is_ready", lambda pod: False)
        monkeypatch.setattr(test_exporter, "why_not_ready", lambda pod: "Running (CrashLoopBackOff)")
        assert red(true, target) == {"harbor-exporter-0": "no answer (it is Running (CrashLoopBackOff))"}


def test_of_no_use_is_an_api_that_says_nothing(monkeypatch):
    with harbor(monkeypatch) as (target, _):
        target.front_door.report = UnexpectedAnswer("→ 502", status=502)
        with pytest.raises(CannotTell, match="what Harbor's API tells: → 502"):
            judged(true, target)


def test_an_exporter_that_says_nowhere_where_it_listens_cannot_be_asked(monkeypatch):
    with harbor(monkeypatch, exporter={"LOG_LEVEL": "info"}) as (target, _):
        with pytest.raises(CannotTell, match="no container of its"):
            judged(true, target)


def test_samples_are_summed_and_told_apart():
    metrics = metrics_of('a_total{code="200"} 2\na_total{code="401"} 3\nb 1\n')
    assert (metrics.total("a_total"), metrics.total("c")) == (5, 0)
    assert metrics.by("code", "a_total") == {"200": 2, "401": 3}
    assert "b" in metrics
