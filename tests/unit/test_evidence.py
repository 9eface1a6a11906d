"""What is collected when a check does not pass, from a cluster of a few lines: what, of which pods, and how much."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml
from kubernetes import client

from harbor_verify import evidence
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.evidence import Collector
from harbor_verify.redaction import Redaction

NOW = datetime(2026, 11, 24, 2, 30, 15, tzinfo=UTC)
SECRET = "sessions-of-the-lab"


def pod(name, *, app, age=0, restarts=0, claim=None, waiting=False, variables=()):
    state = client.V1ContainerState(
        waiting=client.V1ContainerStateWaiting(reason="ContainerCreating") if waiting else None,
        running=None if waiting else client.V1ContainerStateRunning(),
    )
    source = client.V1PersistentVolumeClaimVolumeSource(claim_name=claim or "none")
    return client.V1Pod(
        metadata=client.V1ObjectMeta(
            name=name,
            namespace="harbor",
            uid=f"uid-{name}",
            labels={"name": app},
            creation_timestamp=NOW + timedelta(seconds=age),
            managed_fields=[client.V1ManagedFieldsEntry(manager="kubelet")],
            annotations={"note": f"with {SECRET} in it"},
        ),
        spec=client.V1PodSpec(
            containers=[
                client.V1Container(name="app", env=[client.V1EnvVar(name=n, value=v) for n, v in variables])
            ],
            volumes=[client.V1Volume(name="v", persistent_volume_claim=source)] if claim else None,
        ),
        status=client.V1PodStatus(
            phase="Running",
            container_statuses=[
                client.V1ContainerStatus(
                    name="app", image="i", image_id="i", ready=True, restart_count=restarts, state=state
                )
            ],
        ),
    )


def event(reason, at, *, kind="Normal", message="m", **fields):
    return client.CoreV1Event(
        metadata=client.V1ObjectMeta(name=reason, creation_timestamp=NOW - timedelta(days=1)),
        involved_object=client.V1ObjectReference(kind="Pod", name="ui-rc-a"),
        type=kind,
        reason=reason,
        message=message,
        **{"last_timestamp": at, **fields},
    )


PODS = [
    pod("ui-rc-a", app="ui-apps"),
    pod("ui-rc-b", app="ui-apps", age=1, restarts=2, variables=[("MYSQL_PWD", "x"), ("NOTE", SECRET)]),
    pod("jobservice-rc-c", app="jobservice-apps", claim="log-pvc", waiting=True),
    pod("neighbour", app="something-else"),
]
WORKLOADS = {
    app: SimpleNamespace(
        name=f"{app}-rc", short_name=app, namespace="harbor", selector=(("name", f"{app}-apps"),)
    )
    for app in ("ui", "jobservice")
}


class Cluster:
    """Answers as the API would, counts, and refuses what it is told to."""

    def __init__(self, *, pods=PODS, events=(), log=b"2026-11-24T02:30:15Z all is well\n"):
        self.asked, self.timeouts = [], []
        self.refused, self.on_ask = set(), lambda: None
        self.log = log
        core = SimpleNamespace(
            api_client=client.ApiClient(),
            list_namespaced_pod=lambda ns, **kw: self.answer(
                "pods", kw, SimpleNamespace(items=list(pods), metadata=None)
            ),
            list_namespaced_event=lambda ns, **kw: self.answer(
                "events", kw, SimpleNamespace(items=list(events), metadata=None)
            ),
            read_namespaced_pod_log=self.read_log,
        )
        self.kubernetes = Kubernetes(client.Configuration(), timeouts_s=(1, 2), inside=False)
        self.kubernetes.core = core
        self.deployment = SimpleNamespace(kubernetes=self.kubernetes, namespace="harbor", workloads=WORKLOADS)

    def answer(self, what, arguments, answer):
        self.on_ask()
        self.asked.append(what)
        self.timeouts.append(arguments["_request_timeout"])
        if what in self.refused:
            raise client.ApiException(status=403, reason="Forbidden")
        return answer

    def read_log(self, name, namespace, *, container, previous, **kw):
        what = f"{name}.{container}{' before' if previous else ''}"
        return self.answer(what, kw, SimpleNamespace(data=self.log, release_conn=lambda: None))

    def collector(self):
        return Collector(self.deployment, Redaction([SECRET]), timeouts_s=(1, 2))


def files_in(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    "about, names",
    [
        ("pod harbor/ui-rc-b (ui-1 on node-1)\nknows it\nunknown", {"ui-rc-b"}),
        ("login@ui-0 had an outage", {"ui-rc-a"}),
        ("ui-0 and ui-1 differ", {"ui-rc-a", "ui-rc-b"}),
        ("ReplicationController harbor/ui-rc: no pod", {"ui-rc-a", "ui-rc-b"}),
        ("PersistentVolumeClaim harbor/log-pvc is Pending", {"jobservice-rc-c"}),
        ("front door http://h: 502", {"ui-rc-a", "ui-rc-b", "jobservice-rc-c"}),
        ("not-ui-0, ui-01, my-harbor/ui-rc-2, neighbour", {"ui-rc-a", "ui-rc-b", "jobservice-rc-c"}),
    ],
)
def test_the_pods_are_those_that_the_failure_names_or_all_of_harbors(about, names):
    assert {p.metadata.name for p in evidence.chosen(PODS, WORKLOADS.values(), about)} == names


def test_a_pod_is_chosen_by_its_uid_and_not_by_a_name_that_another_has_by_now():
    pod = PODS[1]
    chosen = evidence.chosen(PODS, WORKLOADS.values(), "login@ui-0: an outage", [pod.metadata.uid])
    assert [each.metadata.uid for each in chosen] == [pod.metadata.uid]


def test_events_are_those_around_the_check_and_every_warning_with_the_newest_last():
    listed = [
        event("Late", NOW + timedelta(seconds=5)),
        event("Early", NOW - timedelta(hours=1)),
        event("Warned", NOW - timedelta(hours=1), kind="Warning"),
        event(
            "Repeated",
            None,
            series=client.CoreV1EventSeries(count=7, last_observed_time=NOW),
            event_time=NOW - timedelta(hours=1),
        ),
        event("Bare", None),
    ]
    told = evidence.events(listed, NOW - timedelta(minutes=2))
    assert [each["reason"] for each in told] == ["Warned", "Repeated", "Late"]
    assert told[1] == {
        "time": "2026-11-24T02:30:15+00:00",
        "type": "Normal",
        "reason": "Repeated",
        "object": "Pod ui-rc-a",
        "message": "m",
        "count": 7,
    }


def test_events_pods_and_logs_are_written_without_secrets(tmp_path):
    cluster = Cluster(
        events=[event("Failed", NOW, message=f"redis at {SECRET}")],
        log=f"2026-11-24T02:30:15Z connected with {SECRET}\n".encode(),
    )
    folder = tmp_path / "checks" / "a.b"
    cluster.collector().collect(folder, about="pod harbor/ui-rc-b", since=NOW)
    assert files_in(folder) == {
        "events.yaml",
        "pods.yaml",
        "logs/ui-rc-b.app.log",
        "logs/ui-rc-b.app.previous.log",
    }
    (found,) = yaml.safe_load((folder / "pods.yaml").read_text())
    assert found["metadata"]["name"] == "ui-rc-b"
    assert found["status"]["phase"] == "Running"
    assert "managedFields" not in found["metadata"]
    assert {v["value"] for v in found["spec"]["containers"][0]["env"]} == {"[redacted]"}
    assert yaml.safe_load((folder / "events.yaml").read_text())[0]["message"] == "redis at [redacted]"
    assert all(SECRET not in (folder / name).read_text() for name in files_in(folder))
    assert set(cluster.timeouts) == {(1, 2)}


def test_a_container_that_never_ran_is_not_asked_for_its_log(tmp_path):
    cluster = Cluster()
    cluster.collector().collect(tmp_path, about="jobservice-0", since=NOW)
    assert cluster.asked == ["pods", "events"]
    assert files_in(tmp_path) == {"pods.yaml", "events.yaml"}


def test_of_a_long_log_the_end_is_kept_from_a_whole_line_on(tmp_path):
    line = b"2026-11-24T02:30:15Z " + b"x" * 1000 + b"\n"
    Cluster(log=line * 100 + b"the last\n").collector().collect(tmp_path, about="ui-0", since=NOW)
    kept = (tmp_path / "logs" / "ui-rc-a.app.log").read_bytes()
    assert len(kept) <= evidence.LOG_BYTES
    assert kept.startswith(line)
    assert kept.endswith(b"the last\n")


@pytest.mark.parametrize(
    "refused, missing, there",
    [
        ("pods", "list the pods in harbor", {"events.yaml"}),
        ("events", "list the events in harbor", {"pods.yaml", "logs/ui-rc-a.app.log"}),
        ("ui-rc-a.app", "read the log of container app of pod harbor/ui-rc-a", {"pods.yaml", "events.yaml"}),
    ],
)
def test_what_kubernetes_does_not_give_is_told_and_the_rest_is_there(tmp_path, refused, missing, there):
    cluster = Cluster()
    cluster.refused = {refused}
    cluster.collector().collect(tmp_path, about="ui-0", since=NOW)
    assert files_in(tmp_path) == {*there, "not-collected.txt"}
    (line,) = (tmp_path / "not-collected.txt").read_text().splitlines()
    assert line.startswith(missing)
    assert "403 Forbidden" in line


def test_logs_are_had_for_the_first_checks_only(tmp_path):
    cluster = Cluster()
    collector = cluster.collector()
    for number in range(evidence.CHECKS_WITH_LOGS + 1):
        collector.collect(tmp_path / str(number), about="ui-0", since=NOW)
    assert cluster.asked.count("ui-rc-a.app") == evidence.CHECKS_WITH_LOGS
    last = tmp_path / str(evidence.CHECKS_WITH_LOGS)
    assert files_in(last) == {"pods.yaml", "events.yaml", "not-collected.txt"}
    assert "logs: they are with the first 10 checks" in (last / "not-collected.txt").read_text()


def test_many_pods_and_many_events_are_cut_and_it_is_told(tmp_path):
    pods = [pod(f"ui-rc-{n}", app="ui-apps", age=n) for n in range(evidence.PODS + 2)]
    events = [event(f"E{n}", NOW + timedelta(seconds=n)) for n in range(evidence.EVENTS + 2)]
    Cluster(pods=pods, events=events).collector().collect(tmp_path, about="all", since=NOW)
    assert len(yaml.safe_load((tmp_path / "pods.yaml").read_text())) == evidence.PODS
    assert yaml.safe_load((tmp_path / "events.yaml").read_text())[-1]["reason"] == f"E{evidence.EVENTS + 1}"
    assert (tmp_path / "not-collected.txt").read_text().splitlines() == [
        "pods: only 30 of 32",
        "events: only the newest 200 of 202",
    ]


def test_a_slow_cluster_is_asked_no_longer_than_one_check_and_one_run_may_take(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(evidence.time, "monotonic", lambda: clock[0])
    cluster = Cluster()

    def slow():
        clock[0] += 19.5

    cluster.on_ask = slow
    collector = cluster.collector()
    collector.collect(tmp_path / "first", about="ui-1", since=NOW)
    assert cluster.asked == ["pods", "events"]
    assert cluster.timeouts[1] == (0.5, 0.5), "the last question gets what time is left"
    told = (tmp_path / "first" / "not-collected.txt").read_text().splitlines()
    assert [line.partition(" of")[0] for line in told] == ["read the log", "read the log before the restart"]
    for number in range(3):
        collector.collect(tmp_path / str(number), about="ui-1", since=NOW)
    asked = len(cluster.asked)
    collector.collect(tmp_path / "last", about="ui-1", since=NOW)
    assert len(cluster.asked) == asked
    assert (
        "this run has spent 120 s on evidence already"
        in (tmp_path / "last" / "not-collected.txt").read_text()
    )
