"""A pod kill is proven and healed by what the API tells, bounded in time, and ends well after any exception."""

import threading
import time

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.recovery import recovery
from harbor_verify.checkers.whole_again import whole_again
from harbor_verify.disruptions import following, replica_watch
from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.pod_kill import PodKill
from harbor_verify.errors import CannotTell, DeadlinePassed, HealFailed, TargetUnreachable
from harbor_verify.history import Recorder
from harbor_verify.waiting import NotYet, wait_until
from tests.unit.fake_kubernetes import NAMESPACE, UI, FakeCluster, serving
from tests.unit.ledgers import MemoryLedger


@pytest.fixture(autouse=True)
def _no_moment(monkeypatch):
    monkeypatch.setattr(replica_watch, "FOLLOWS_S", 0.05)


@pytest.fixture
def cluster():
    """Three Ready replicas behind the Service ui; whoever deletes one gets another."""
    cluster = FakeCluster()
    cluster.service("ui", name="ui-apps")
    cluster.service("registry", name="registry-apps")
    for number, uid in enumerate(("uid-c", "uid-a", "uid-b")):
        cluster.pod(f"ui-rc-{uid}", uid, age=number)
    cluster.endpoints("ui", "uid-a", "uid-b", "uid-c")
    cluster.endpoints("registry", "uid-r")
    cluster.on_delete = lambda name: in_background(replace, cluster, name)
    return cluster


@pytest.fixture
def kubernetes(cluster):
    with serving(cluster) as kubernetes:
        yield kubernetes


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    left = [
        thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("watch")
    ]
    assert not left


def in_background(act, *args):
    threading.Thread(target=act, args=args, daemon=True).start()


def replace(cluster, name):
    """What the kubelet and the controllers do after a graceful delete."""
    uid = cluster.objects["pods"][name]["metadata"]["uid"]
    rest = {"uid-a", "uid-b", "uid-c"} - {uid}
    cluster.pod(name, uid, deleting=True)
    cluster.pod("ui-rc-new", "uid-new", age=30, ready=False)
    cluster.endpoints("ui", *rest, not_ready=(uid,))
    time.sleep(0.1)
    cluster.remove("pods", name)
    cluster.pod("ui-rc-new", "uid-new", age=30)
    cluster.endpoints("ui", *rest, "uid-new")


def kill(kubernetes, recorder, **more):
    options = {"timeout_s": 5, "desired": 3} | more
    ledger = options.pop("ledger", None) or MemoryLedger()
    return PodKill(
        kubernetes, recorder, ledger, namespace=NAMESPACE, selector="name=ui-apps", workload="ui", **options
    )


def names_of(recorder, subject):
    return [event.name for event in recorder.history().events if event.subject == subject]


def test_a_deletion_stands_in_the_ledger_until_it_is_healed(cluster, kubernetes):
    ledger = MemoryLedger()
    with kill(kubernetes, Recorder(), ledger=ledger):
        assert [(entry.act, entry.kind) for entry in ledger.entries()] == [("broken", "Pod")]
    assert ledger.entries() == []
    assert len(ledger.log) == 1


def test_a_pod_is_killed_proven_and_healed(cluster, kubernetes):
    recorder = Recorder()
    with kill(kubernetes, recorder) as disruption:
        disruption.prove()
    assert cluster.deleted[0][0] == "ui-rc-uid-c"
    assert names_of(recorder, "pod-kill ui-0") == ["inject", "proven", "healed"]
    history = recorder.history()
    assert fault_confirmed(history).evidence["pod-kill ui-0"] == {"old_uid": "uid-c", "new_uids": ["uid-new"]}
    assert recovery(history, budget_ms=5000).valid is True
    took = recovery(history, budget_ms=5000).evidence["pod-kill ui-0"]
    assert took["pod_created_ms"] < 100 <= took["pod_deleted_ms"] < took["recovered_ms"]


def test_the_replacement_takes_over_the_name_and_the_others_keep_theirs(kubernetes):
    disruption = kill(kubernetes, Recorder(), ordinal=1)
    with disruption:
        pass
    assert {pod.replica: pod.uid for pod in disruption.replicas} == {
        "ui-0": "uid-c",
        "ui-1": "uid-new",
        "ui-2": "uid-b",
    }


def test_the_history_tells_the_state_before_and_what_came_in_which_order(kubernetes):
    recorder = Recorder()
    with kill(kubernetes, recorder):
        pass
    told = [(e.name, e.value.get("replica")) for e in recorder.history().events if e.subject == "ui"]
    assert told[0] == ("watch-started", None)
    assert told[-1] == ("watch-stopped", None)
    of_victim_and_successor = [name for name, replica in told if replica == "ui-0"]
    # Pods and endpoints are watched side by side: between the two there is no order.
    assert [name for name in of_victim_and_successor if name.startswith("pod")] == [
        "pod-created",
        "pod-ready",
        "pod-deleting",
        "pod-created",
        "pod-deleted",
        "pod-ready",
    ]
    assert [name for name in of_victim_and_successor if name.startswith("endpoint")] == [
        "endpoint-added",
        "endpoint-removed",
        "endpoint-added",
    ]
    assert {e.value["service"] for e in recorder.history().events if "service" in e.value} == {"ui"}


def test_exactly_the_pod_that_was_seen_is_deleted_with_the_grace_that_was_asked(cluster, kubernetes):
    with kill(kubernetes, Recorder(), grace_period_s=1):
        pass
    ((_, options),) = cluster.deleted
    assert options["preconditions"] == {"uid": "uid-c"}
    assert options["gracePeriodSeconds"] == 1


def test_a_namesake_that_came_since_is_not_deleted(cluster, kubernetes):
    disruption = kill(kubernetes, Recorder(), timeout_s=0.3)
    seen = disruption.inject

    def inject():
        cluster.pod("ui-rc-uid-c", "uid-namesake")
        seen()

    disruption.inject = inject
    with pytest.raises(TargetUnreachable, match="409"):
        disruption.__enter__()
    assert cluster.deleted == []


@pytest.mark.parametrize(
    "options, complaint", [({"desired": 4}, "3 of 4 replicas"), ({"ordinal": 3}, "no ui-3")]
)
def test_nothing_is_killed_where_it_would_show_nothing(cluster, kubernetes, options, complaint):
    recorder = Recorder()
    with pytest.raises(CannotTell, match=complaint):
        kill(kubernetes, recorder, **options).__enter__()
    assert cluster.deleted == []
    assert recorder.history().disruptions() == []


def test_a_service_that_leads_to_too_few_before_forbids_the_kill(cluster, kubernetes):
    cluster.endpoints("ui", "uid-a", "uid-b")
    with pytest.raises(CannotTell, match="Service ui does not lead to ui-0"):
        kill(kubernetes, Recorder()).__enter__()


def test_a_service_that_has_not_followed_a_pod_yet_is_given_a_moment(cluster, kubernetes, monkeypatch):
    monkeypatch.setattr(replica_watch, "FOLLOWS_S", 5)
    cluster.endpoints("ui", "uid-a", "uid-b")
    in_background(cluster.endpoints, "ui", "uid-a", "uid-b", "uid-c")
    with kill(kubernetes, Recorder()):
        pass
    assert cluster.deleted


def test_a_workload_without_pods_is_an_error(cluster, kubernetes):
    for name in list(cluster.objects["pods"]):
        cluster.remove("pods", name)
    with pytest.raises(CannotTell, match="no pod name=ui-apps in harbor"):
        kill(kubernetes, Recorder()).__enter__()


def test_the_kill_of_a_pod_that_stays_is_not_confirmed(cluster, kubernetes):
    cluster.on_delete = lambda name: None
    recorder = Recorder()
    stays = kill(kubernetes, recorder, timeout_s=0.3)
    with pytest.raises(DeadlinePassed, match="still there, with its UID uid-c"):
        with stays:
            pass
    assert "not-proven" in names_of(recorder, "pod-kill ui-0")
    assert "proven" not in names_of(recorder, "pod-kill ui-0")
    assert fault_confirmed(recorder.history()).valid == "unknown"


def test_a_pod_that_is_not_replaced_was_killed_all_the_same_and_nothing_is_whole_again(cluster, kubernetes):
    cluster.on_delete = lambda name: cluster.remove("pods", name)
    recorder = Recorder()
    with pytest.raises(HealFailed, match="2 of 3 replicas Ready"):
        with kill(kubernetes, recorder, timeout_s=0.3):
            pass
    assert fault_confirmed(recorder.history()).valid is True
    (offender,) = whole_again(recorder.history()).offenders
    assert "2 of 3 replicas Ready" in offender.observed


def test_a_replacement_that_is_never_ready_is_not_healed(cluster, kubernetes):
    def half(name):
        cluster.remove("pods", name)
        cluster.pod("ui-rc-new", "uid-new", ready=False)
        cluster.endpoints("ui", "uid-a", "uid-b")

    cluster.on_delete = half
    recorder = Recorder()
    with pytest.raises(HealFailed, match="2 of 3 replicas Ready"):
        with kill(kubernetes, recorder, timeout_s=0.3):
            pass
    assert names_of(recorder, "pod-kill ui-0") == ["inject", "proven", "not-healed"]
    assert recovery(recorder.history(), budget_ms=100).valid is False


@pytest.mark.parametrize("not_ready", [(), ("uid-new",)])
def test_a_replacement_that_no_service_leads_to_is_not_healed(cluster, kubernetes, not_ready):
    def half(name):
        cluster.remove("pods", name)
        cluster.pod("ui-rc-new", "uid-new")
        cluster.endpoints("ui", "uid-a", "uid-b", not_ready=not_ready)

    cluster.on_delete = half
    with pytest.raises(HealFailed, match="Service ui does not lead to ui-0"):
        with kill(kubernetes, Recorder(), timeout_s=0.3):
            pass


def gone_for_good(cluster):
    def remove(name):
        cluster.remove("pods", name)
        cluster.endpoints("ui", "uid-a", "uid-b")

    cluster.on_delete = remove


def test_an_autoscaler_that_asks_for_fewer_meanwhile_makes_it_whole_with_fewer(cluster, kubernetes):
    gone_for_good(cluster)
    recorder, asked = Recorder(), iter([3, 2])
    with kill(kubernetes, recorder, timeout_s=5, asked=lambda: next(asked)):
        pass
    told = [event.value["desired"] for event in recorder.history().events if event.name == "desired-changed"]
    assert told == [2]
    assert recovery(recorder.history(), budget_ms=5000).valid is True
    assert whole_again(recorder.history()).valid is True


def unreadable():
    raise TargetUnreachable("read Deployment: 403")


@pytest.mark.parametrize("asked", [lambda: 3, lambda: 4, lambda: 0, unreadable])
def test_a_missing_replica_is_missed_where_no_fewer_are_asked_for(cluster, kubernetes, asked):
    """Nobody scales to nothing while clients are at work, and means that all is well."""
    gone_for_good(cluster)
    recorder = Recorder()
    with pytest.raises(HealFailed, match="2 of 3 replicas Ready"):
        with kill(kubernetes, recorder, timeout_s=0.3, asked=asked):
            pass
    assert recovery(recorder.history(), budget_ms=100).valid is False


def test_what_an_autoscaler_was_asked_for_is_read_once_a_second_and_told(cluster, kubernetes):
    reads = []
    cluster.on_delete = lambda name: [cluster.remove("pods", pod) for pod in list(cluster.objects["pods"])]
    with pytest.raises(HealFailed, match="0 of 2 replicas Ready, of 3 at the beginning"):
        with kill(kubernetes, Recorder(), timeout_s=0.5, asked=lambda: reads.append(1) or 2):
            pass
    assert len(reads) == 1


REGISTRY = {"name": "registry-apps", "app": "harbor"}
OF_HARBOR = {**UI, "app": "harbor"}


def of_all_of_harbor(cluster, *, own):
    """A Service for the metrics of all parts, and a pod of the registry; the ui has a Service of its own, or not."""
    for number, uid in enumerate(("uid-c", "uid-a", "uid-b")):
        cluster.pod(f"ui-rc-{uid}", uid, age=number, labels=OF_HARBOR)
    cluster.pod("registry-rc-r", "uid-r", labels=REGISTRY)
    cluster.service("metrics", app="harbor")
    cluster.endpoints("metrics", "uid-a", "uid-b", "uid-c", "uid-r")
    if not own:
        cluster.remove("services", "ui")


@pytest.mark.parametrize("own, told", [(True, {"ui"}), (False, {"metrics"})])
def test_a_service_of_all_of_harbor_leads_to_other_parts_and_that_is_no_fault(cluster, kubernetes, own, told):
    def replace(name):
        cluster.remove("pods", name)
        # The endpoint of the new pod comes first: the two are watched side by side.
        for service, others in (("ui", ()), ("metrics", ("uid-r",))):
            cluster.endpoints(service, "uid-a", "uid-b", "uid-new", *others)
        time.sleep(0.1)
        cluster.pod("ui-rc-new", "uid-new", age=30, labels=OF_HARBOR)

    of_all_of_harbor(cluster, own=own)
    cluster.on_delete = lambda name: in_background(replace, name)
    recorder = Recorder()
    with kill(kubernetes, recorder):
        pass
    events = recorder.history().events
    assert {event.value["service"] for event in events if "service" in event.value} == told
    assert not any(event.value.get("uid") == "uid-r" for event in events)
    assert recovery(recorder.history(), budget_ms=5000).valid is True


def test_a_service_of_all_of_harbor_that_still_leads_to_the_old_pod_is_named(cluster, kubernetes):
    def half(name):
        cluster.remove("pods", name)
        cluster.pod("ui-rc-new", "uid-new", age=30, labels=OF_HARBOR)
        cluster.endpoints("metrics", "uid-a", "uid-b", "uid-c", "uid-r", "uid-new")

    of_all_of_harbor(cluster, own=False)
    cluster.on_delete = half
    with pytest.raises(HealFailed, match="Service metrics still leads to a pod that is gone"):
        with kill(kubernetes, Recorder(), timeout_s=0.3):
            pass


def test_an_exception_in_the_block_is_raised_after_the_heal(kubernetes):
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        with kill(kubernetes, recorder):
            raise KeyboardInterrupt
    assert names_of(recorder, "pod-kill ui-0") == ["inject", "healed"]


def test_a_heal_that_fails_does_not_hide_what_the_block_raised(cluster, kubernetes):
    cluster.on_delete = lambda name: cluster.remove("pods", name)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        with kill(kubernetes, Recorder(), timeout_s=0.3):
            raise KeyboardInterrupt
    assert "is not healed" in interrupt.value.__notes__[0]


def test_an_interruption_of_the_injection_itself_is_healed_too(kubernetes):
    recorder = Recorder()
    disruption = kill(kubernetes, recorder)
    inject = disruption.inject

    def interrupted():
        inject()
        raise KeyboardInterrupt

    disruption.inject = interrupted
    with pytest.raises(KeyboardInterrupt):
        disruption.__enter__()
    assert names_of(recorder, "pod-kill ui-0")[-1] == "healed"


def test_a_grace_of_nothing_is_refused_for_it_ends_no_container_sooner(kubernetes):
    with pytest.raises(ValueError, match="give 1 s"):
        kill(kubernetes, Recorder(), grace_period_s=0)


def test_a_watch_that_is_cut_goes_on_where_it_was(cluster, kubernetes):
    def cut_and_replace(name):
        cluster.cut_watches()
        in_background(replace, cluster, name)

    cluster.on_delete = cut_and_replace
    recorder = Recorder()
    with kill(kubernetes, recorder):
        pass
    assert names_of(recorder, "ui").count("pod-deleted") == 1


def test_a_watch_that_is_had_again_is_so_also_where_nothing_happens(cluster, kubernetes):
    recorder = Recorder()
    watch = kill(kubernetes, recorder).watch
    watch.start()
    try:
        cluster.refuse_watches = 500
        cluster.cut_watches()
        _await_told(recorder, "watch-lost")
        cluster.refuse_watches = 0
        _await_told(recorder, "watch-resumed")
        assert watch.lacks() == []
    finally:
        watch.stop()


def _await_told(recorder, name):
    def told():
        if name not in names_of(recorder, "ui"):
            raise NotYet(name)

    wait_until(f"{name} is told", told, deadline="test", timeout_s=20)


def test_events_that_the_server_forgot_are_found_by_a_new_list(cluster, kubernetes):
    def replace_unseen(name):
        cluster.refuse_watches = 500
        cluster.cut_watches()
        replace(cluster, name)
        cluster.cut_watches(forget=True)
        cluster.refuse_watches = 0

    cluster.on_delete = replace_unseen
    recorder = Recorder()
    with kill(kubernetes, recorder) as disruption:
        disruption.prove()
    names = names_of(recorder, "ui")
    assert "watch-lost" in names
    assert "watch-resumed" in names
    assert names.count("pod-deleted") == 1
    assert recovery(recorder.history(), budget_ms=1).valid == "unknown"


@pytest.mark.parametrize("status", [403, 500])
def test_a_watch_that_cannot_be_had_is_an_error(cluster, kubernetes, monkeypatch, status):
    monkeypatch.setattr(following, "GIVE_UP_S", 0.3)

    def refuse(name):
        cluster.refuse_watches = status
        cluster.cut_watches()

    cluster.on_delete = refuse
    with pytest.raises(TargetUnreachable, match=f"watch (pods name=ui-apps|endpointslices).*{status}"):
        with kill(kubernetes, Recorder()):
            pass


def test_a_watch_stops_at_once_though_nothing_happens(cluster, kubernetes):
    disruption = kill(kubernetes, Recorder())
    disruption.watch.start()
    with cluster.changed:
        assert cluster.changed.wait_for(lambda: cluster.watches == 2, timeout=5)
    time.sleep(0.1)  # until their threads wait for the next event
    begin = time.monotonic()
    disruption.watch.stop()
    assert time.monotonic() - begin < 1


class Nothing(Disruption):
    """A disruption whose steps only say that they were made."""

    def __init__(self):
        super().__init__(Recorder(), "nothing")
        self.steps = []

    def prepare(self):
        self.steps.append("prepare")
        return {}

    def inject(self):
        self.steps.append("inject")

    def confirm(self):
        self.steps.append("confirm")
        return {}

    def restore(self):
        self.steps.append("restore")

    def respond(self):
        self.steps.append("respond")
        return {}

    def release(self):
        self.steps.append("release")


def test_the_response_is_awaited_between_proof_and_heal_once_and_where_one_is_expected():
    disruption = Nothing()
    disruption.expected_response = "somebody takes over"
    with disruption:
        disruption.prove()
        disruption.await_response()
    assert disruption.steps == ["prepare", "inject", "confirm", "respond", "restore", "release"]


def test_an_answer_that_does_not_come_is_healed_and_told_and_ends_nothing():
    disruption = Nothing()
    disruption.expected_response = "somebody takes over"

    def stubborn():
        raise DeadlinePassed("nobody did")

    disruption.respond = stubborn
    with disruption:
        pass
    assert disruption.steps[-2:] == ["restore", "release"]
    told = [event for event in disruption.recorder.history().events if event.name == "not-responded"]
    assert [event.value for event in told] == [{"expected": "somebody takes over", "observed": "nobody did"}]


def test_a_proof_that_failed_in_the_block_is_not_asked_for_again():
    disruption = Nothing()

    def fail():
        disruption.steps.append("confirm")
        raise DeadlinePassed("it is as it was")

    disruption.confirm = fail
    with disruption, pytest.raises(DeadlinePassed):
        disruption.prove()
    assert disruption.steps.count("confirm") == 1
    assert [event.name for event in disruption.recorder.history().events] == [
        "inject",
        "not-proven",
        "healed",
    ]


def test_the_steps_of_any_disruption_come_in_this_order():
    with Nothing() as disruption:
        disruption.steps.append("block")
    assert disruption.steps == ["prepare", "inject", "block", "confirm", "restore", "release"]


def test_a_proof_is_made_once():
    with Nothing() as disruption:
        disruption.prove()
        disruption.prove()
    assert disruption.steps.count("confirm") == 1


def test_a_preparation_that_fails_is_released_and_nothing_is_injected():
    disruption = Nothing()

    def fail():
        raise CannotTell("not whole")

    disruption.prepare = fail
    with pytest.raises(CannotTell):
        disruption.__enter__()
    assert disruption.steps == ["release"]
    assert disruption.recorder.history().events == ()
