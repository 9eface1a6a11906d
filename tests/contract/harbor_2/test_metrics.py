"""What core, jobservice, registry and exporter tell Prometheus: names and labels as Harbor's and distribution's source
has them; the registry is the real one."""

from types import SimpleNamespace
from typing import Any

import pytest
import requests

from harbor_verify import scraping
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.model.metrics import Metrics, metrics_of
from harbor_verify.model.roles import Role
from harbor_verify.profiles.harbor_2 import PROFILE
from harbor_verify.profiles.harbor_2.metrics import of_exporter, of_replica
from harbor_verify.scraping import Exporter
from suites.configuration import test_exporter, test_metrics
from tests.contract.harbor_2.stack import ADMIN_PASSWORD, Stack
from tests.contract.programs import HOST, free_port, wait
from tests.unit.running import examine, offenders_of

VERSION = "2.15"
PROJECTS = "harbor_statistics_total_project_amount"


def told(port: int) -> Metrics:
    answer = requests.get(f"http://{HOST}:{port}/metrics", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return metrics_of(answer.text)


@pytest.fixture(scope="module")
def core(stack: Stack) -> tuple[str, int]:
    """(url, port of its metrics)."""
    port = free_port()
    program = stack.core(
        "core-m",
        METRIC_ENABLE="true",
        METRIC_PATH="/metrics",
        METRIC_PORT=str(port),
        METRIC_NAMESPACE="harbor",
        METRIC_SUBSYSTEM="core",
    )
    program.other_ports = (port,)
    program.start()
    return stack.url("core-m"), port


def test_core_counts_every_request_that_it_answers(core: tuple[str, int]) -> None:
    url, port = core
    before = told(port)
    for path in ("/v2/", "/api/v2.0/ping", "/api/v2.0/users/current", "/nowhere"):
        requests.get(f"{url}{path}", timeout=5)
    after = told(port)
    name = "harbor_core_http_request_total"
    assert after.total(name) - before.total(name) == 4
    looked_for = of_replica(
        Role.WEB, {}, {"METRIC_ENABLE": "true", "METRIC_NAMESPACE": "harbor", "METRIC_SUBSYSTEM": "core"}
    )
    assert looked_for is not None
    assert looked_for.requests == name
    assert all(each in after for each in looked_for.always)
    assert after.by("code", name).keys() >= {"200", "401"}
    assert set(after.by("operation", name)) == {"unknown", "v2_others"}
    for each in ("harbor_core_http_inflight_requests", "harbor_core_http_request_duration_seconds_count"):
        assert each in after


def test_there_is_nothing_but_metrics_at_that_port(core: tuple[str, int]) -> None:
    assert requests.get(f"http://{HOST}:{core[1]}/", timeout=5).status_code == 404


def test_jobservice_tells_who_it_is_and_what_it_ran(stack: Stack, core: tuple[str, int]) -> None:
    port = free_port()
    stack["jobservice"].end(9)
    program = stack.jobservice(metrics_port=port, METRIC_NAMESPACE="harbor", METRIC_SUBSYSTEM="jobservice")
    program.other_ports = (port,)
    program.start()
    found = told(port)
    assert found.by("workers", "harbor_jobservice_info") == {"10": 1}
    assert "harbor_jobservice_task_total" not in found
    requests.post(
        f"{core[0]}/api/v2.0/system/gc/schedule",
        json={"schedule": {"type": "Manual"}, "parameters": {"delete_untagged": True}},
        auth=("admin", ADMIN_PASSWORD),
        timeout=10,
    ).raise_for_status()
    wait(lambda: "harbor_jobservice_task_total" in told(port), "the job is counted")
    assert told(port).by("type", "harbor_jobservice_task_total") == {"GARBAGE_COLLECTION": 1}


def test_the_registry_counts_what_it_refuses_too(stack: Stack) -> None:
    port = free_port()
    program = stack.another_registry("registry-m")
    configuration = stack.folder / "registry-m.yml"
    debug = f"http:\n  debug: {{addr: '{HOST}:{port}', prometheus: {{enabled: true, path: /metrics}}}}\n"
    configuration.write_text(configuration.read_text().replace("http:\n", debug))
    program.other_ports = (port,)
    program.start()
    looked_for = of_replica(Role.REGISTRY, {"config.yml": configuration.read_text()}, {})
    assert looked_for is not None
    assert (looked_for.port, looked_for.path) == (port, "/metrics")
    assert all(each in told(port) for each in looked_for.always)
    assert requests.get(f"{stack.url('registry-m')}/v2/", timeout=5).status_code == 401
    assert told(port).total(looked_for.requests) == 1


@pytest.fixture(scope="module")
def port(stack: Stack) -> int:
    stack.exporter("exporter").start()
    return stack["exporter"].port


def test_the_exporter_tells_health_and_projects_as_the_api(stack: Stack, port: int) -> None:
    url = stack.url("core-a")

    def agree() -> bool:
        report = requests.get(f"{url}/api/v2.0/health", timeout=5).json()
        found = told(port)
        ups = {each["name"]: float(each["status"] == "healthy") for each in report["components"]}
        return found.by("component", "harbor_up") == ups and found.total("harbor_health") == float(
            report["status"] == "healthy"
        )

    wait(agree, "exporter and API tell the same health")
    counted = requests.get(f"{url}/api/v2.0/statistics", auth=("admin", ADMIN_PASSWORD), timeout=5).json()
    looked_for = of_exporter({"HARBOR_EXPORTER_PORT": str(port)})
    assert looked_for is not None
    assert all(each in told(port) for each in looked_for.always)
    assert told(port).total(PROJECTS) == counted["total_project_count"] == 1
    assert "GARBAGE_COLLECTION" in told(port).by("type", "harbor_task_queue_size")


def test_the_exporter_answers_a_page_elsewhere_as_its_probes_want_it(port: int) -> None:
    assert requests.get(f"http://{HOST}:{port}/", timeout=5).status_code == 200


@pytest.fixture(scope="module")
def astray(stack: Stack) -> int:
    """The port of an exporter that finds no core."""
    program = stack.exporter("exporter-astray", HARBOR_SERVICE_PORT=str(free_port()))
    program.start()
    return program.port


@pytest.fixture(scope="module")
def refused(stack: Stack) -> int:
    """The port of an exporter that the database lets in, and lets read nothing any more."""
    stack.sql(
        "CREATE ROLE watcher LOGIN PASSWORD 'old'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher"
    )
    program = stack.exporter(
        "exporter-refused", HARBOR_DATABASE_USERNAME="watcher", HARBOR_DATABASE_PASSWORD="old"
    )
    program.start()
    assert told(program.port).total(PROJECTS) == 1
    stack.sql("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM watcher")
    wait(lambda: told(program.port).total(PROJECTS) == 0, "it counts nothing")
    return program.port


def test_without_a_core_the_exporter_tells_no_health_and_is_silent_about_it(astray: int) -> None:
    found = told(astray)
    assert "harbor_health" not in found
    assert "harbor_up" not in found
    assert found.total(PROJECTS) == 1


def test_an_exporter_that_the_database_refuses_counts_nothing_and_goes_on(refused: int) -> None:
    found = told(refused)
    assert (found.total(PROJECTS), "harbor_health" in found) == (0, True)


@pytest.fixture
def harbor(
    stack: Stack, core: tuple[str, int], port: int, monkeypatch: pytest.MonkeyPatch
) -> SimpleNamespace:
    """As the checks see it: a core, and an exporter, in the place of pods."""

    def link(name: str, url: str) -> HttpClient:
        return HttpClient(name, url, timeouts_s=(5, 10))

    pod = SimpleNamespace(metadata=SimpleNamespace(name="exporter"), status=SimpleNamespace(pod_ip=HOST))
    replica = SimpleNamespace(object="pod core-m", pod=pod, pod_name="core-m")
    environment = {
        "METRIC_ENABLE": "true",
        "METRIC_PORT": str(core[1]),
        "METRIC_NAMESPACE": "harbor",
        "METRIC_SUBSYSTEM": "core",
    }
    exporting = {"HARBOR_EXPORTER_PORT": str(port), "HARBOR_EXPORTER_CACHE_TIME": "1"}
    monkeypatch.setattr(scraping, "ready_replicas", lambda target: {Role.WEB: [replica]})
    monkeypatch.setattr(scraping, "endpoint_of", lambda target, of: of_replica(Role.WEB, {}, environment))
    monkeypatch.setattr(scraping, "exporters", lambda target: [Exporter("exporter x", 1, [pod])])
    monkeypatch.setattr(scraping, "endpoint_of_exporter", lambda target, pod: of_exporter(exporting))
    monkeypatch.setattr(
        scraping, "open_link", lambda kubernetes, *, port, **_: link("pod", f"http://{HOST}:{port}")
    )
    monkeypatch.setattr(test_exporter, "is_ready", lambda pod: True)
    return SimpleNamespace(
        kubernetes=SimpleNamespace(inside=False),
        settings=SimpleNamespace(timeouts_s=(5, 10)),
        namespace="harbor",
        url=core[0],
        profile=PROFILE,
        credentials=Credentials("admin", ADMIN_PASSWORD),
        front_door=PROFILE.api(link("front-door", stack.url("core-a"))),
        new_link=lambda of: link(of.pod_name, core[0]),
    )


CHECKS = {
    test_metrics.test_every_replica_that_has_metrics_tells_them: {"metrics_endpoints_count": 1},
    test_metrics.test_every_replica_counts_the_requests_that_it_answers: {
        "replicas_that_count_requests_count": 1
    },
    test_exporter.test_the_exporter_tells_what_the_api_tells: {"exporter_pods_count": 1},
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check.id)
def test_the_checks_are_green_on_what_the_programs_tell(check: Any, harbor: SimpleNamespace) -> None:
    measured: dict[str, Any] = {}
    examine(check, harbor, measured=measured)
    assert measured == CHECKS[check]


@pytest.mark.parametrize(
    "exporter, observed",
    [
        ("astray", "it tells no harbor_health: it gets no health report from Harbor"),
        ("refused", f"{PROJECTS} is 0, and by the API there are 1"),
    ],
)
def test_an_exporter_is_red_for_what_it_cannot_find_out(
    harbor: SimpleNamespace, exporter: str, observed: str, request: Any, monkeypatch: Any
) -> None:
    environment = {"HARBOR_EXPORTER_PORT": str(request.getfixturevalue(exporter))}
    monkeypatch.setattr(scraping, "endpoint_of_exporter", lambda target, pod: of_exporter(environment))
    check = test_exporter.test_the_exporter_tells_what_the_api_tells
    (offender,) = offenders_of(lambda: examine(check, harbor, measured={}))
    assert offender.observed == observed
