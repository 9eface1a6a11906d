"""What a check that did not pass leaves for whoever looks into it: events, pods and logs, as files of its folder.

events.yaml                     the namespace's events since shortly before the check began, and all warnings that
                                Kubernetes still has; the newest last
pods.yaml                       the pods that the failure is about (or all of Harbor's), as the API has them
logs/POD.CONTAINER.log          the end of their logs, and ….previous.log of a container that was restarted
not-collected.txt               what could not be had, and why; absent when nothing is missing

Bounded in time and size, and by check and by run. Nothing here changes a verdict.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml
from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes, pages
from harbor_verify.errors import DeadlinePassed, HarnessError
from harbor_verify.model import labels
from harbor_verify.model.discovery import Deployment
from harbor_verify.model.workloads import Workload, replicas_of
from harbor_verify.redaction import Redaction

T = TypeVar("T")

CHECK_S = 20
"""Time for one check."""
RUN_S = 120
"""Time for all checks of a run: a cluster that does not answer is not asked for ever."""
CHECKS_WITH_LOGS = 10
"""When more fail, their logs say the same again."""
PODS = 30
LOG_LINES = 200
LOG_BYTES = 64 * 1024
EVENTS = 200
_EVENTS_PER_PAGE = 1000
BEFORE = timedelta(minutes=2)
"""How long before the check an event may be; clocks may differ by some of it."""
_READ_BYTES = 1024 * 1024
"""Kubernetes cuts a log at its end, where the news is: so more is asked for than is kept."""


class Collector:
    """Collects for the checks of one run."""

    def __init__(
        self, deployment: Deployment, redaction: Redaction, *, timeouts_s: tuple[float, float]
    ) -> None:
        """`timeouts_s` is (connect, request) of each question to Kubernetes."""
        self._deployment, self._redaction, self._timeouts_s = deployment, redaction, timeouts_s
        self._left_s = float(RUN_S)
        self._with_logs = 0

    def collect(self, folder: Path, *, about: str, since: datetime, uids: Collection[str] = ()) -> None:
        """Write what there is into `folder`. What the failure is about is what is looked at: pods by their UIDs where
        it has them, else by what its text, `about`, names.

        Raises OSError; what Kubernetes does not give is told in not-collected.txt instead.
        """
        began_s = time.monotonic()
        missing: list[str] = []
        asking = _Asking(self._deployment.kubernetes, self._timeouts_s, min(CHECK_S, self._left_s))
        if self._left_s <= 0:
            missing.append(f"everything: this run has spent {RUN_S} s on evidence already")
        else:
            self._collect(folder, asking, about, uids, since, missing)
        if missing:
            _write(folder / "not-collected.txt", self._redaction.text("\n".join(missing)) + "\n")
        self._left_s -= time.monotonic() - began_s

    def _collect(
        self,
        folder: Path,
        asking: "_Asking",
        about: str,
        uids: Collection[str],
        since: datetime,
        missing: list[str],
    ) -> None:
        namespace = self._deployment.namespace
        core = self._deployment.kubernetes.core
        pods: list[client.V1Pod] = []
        with _or_note(missing):
            workloads = self._deployment.workloads.values()
            # Whoever else is in the namespace may have thousands.
            selector = labels.selector_of_all(dict(workload.selector) for workload in workloads)
            call, what = core.list_namespaced_pod, f"list the pods in {namespace}"
            listed = list(pages(asking.ask, what, call, namespace, label_selector=selector))
            pods = chosen(listed, workloads, about, uids)
            gone = set(uids) - {pod.metadata.uid for pod in listed}
            missing += [f"pod with UID {uid}: none of Harbor's has it any more" for uid in sorted(gone)]
            if len(pods) > PODS:
                missing.append(f"pods: only {PODS} of {len(pods)}")
                pods = pods[:PODS]
            document = [self._redaction.structure(_plain(core.api_client, pod)) for pod in pods]
            _write(folder / "pods.yaml", _yaml(document))
        with _or_note(missing):
            listed_events = pages(
                asking.ask,
                f"list the events in {namespace}",
                core.list_namespaced_event,
                namespace,
                most=_EVENTS_PER_PAGE,
            )
            event_documents = events(listed_events, since - BEFORE)
            if len(event_documents) > EVENTS:
                missing.append(f"events: only the newest {EVENTS} of {len(event_documents)}")
            newest = [self._redaction.structure(event) for event in event_documents[-EVENTS:]]
            _write(folder / "events.yaml", _yaml(newest))
        if not pods:
            return
        if self._with_logs >= CHECKS_WITH_LOGS:
            missing.append(f"logs: they are with the first {CHECKS_WITH_LOGS} checks that did not pass")
            return
        self._with_logs += 1
        for pod in pods:
            for container, previous in _logs_of(pod):
                with _or_note(missing):
                    text = _log(asking, core, pod.metadata.name, namespace, container, previous=previous)
                    name = f"{pod.metadata.name}.{container}{'.previous' if previous else ''}.log"
                    if text:
                        _write(folder / "logs" / name, self._redaction.text(text))


class _Asking:
    """Questions to Kubernetes that together take no longer than they may."""

    def __init__(self, kubernetes: Kubernetes, timeouts_s: tuple[float, float], left_s: float) -> None:
        self._kubernetes, self._timeouts_s = kubernetes, timeouts_s
        self._ends_s = time.monotonic() + left_s

    def ask(self, what: str, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One call. Raises TargetUnreachable, and DeadlinePassed when there is no time left for it."""
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise DeadlinePassed(f"{what}: not asked, the time for evidence is over")
        connect_s, request_s = self._timeouts_s
        bounded = (min(connect_s, left_s), min(request_s, left_s))
        return self._kubernetes.ask(what, call, *args, _request_timeout=bounded, **kwargs)


def chosen(
    pods: Iterable[client.V1Pod], workloads: Iterable[Workload], about: str, uids: Collection[str] = ()
) -> list[client.V1Pod]:
    """Those of Harbor's pods that have one of the UIDs, or that a text names: by themselves, as a replica (web-0), by
    their workload (`namespace/name`) or by a claim that they use; all of Harbor's when there is none.

    With UIDs no replica is meant by its name: after a pod was replaced, web-0 may be another one.
    """
    pods = list(pods)
    all_of_harbors: dict[str, client.V1Pod] = {}
    names: dict[str, set[str]] = {}
    for workload in workloads:
        wanted = set(workload.selector)
        replicas = {replica.uid: replica.name for replica in replicas_of(workload, pods)}
        for pod in pods:
            if wanted <= set((pod.metadata.labels or {}).items()):
                uid, namespace = pod.metadata.uid, pod.metadata.namespace
                all_of_harbors[uid] = pod
                names[uid] = {pod.metadata.name, f"{namespace}/{workload.name}"}
                names[uid] |= {replicas[uid]} if uid in replicas and not uids else set()
                names[uid] |= {
                    f"{namespace}/{volume.persistent_volume_claim.claim_name}"
                    for volume in pod.spec.volumes or ()
                    if volume.persistent_volume_claim
                }
    named = [
        pod
        for uid, pod in all_of_harbors.items()
        if uid in uids or any(_names(about, name) for name in names[uid])
    ]
    return named or list(all_of_harbors.values())


def events(listed: Iterable[client.CoreV1Event], since: datetime) -> list[dict[str, Any]]:
    """Events since then, and warnings of any time, as entries of a few lines; the newest last."""
    timed = [
        (at, _entry(at, event))
        for event in listed
        if (at := _time_of(event)) >= since or event.type != "Normal"
    ]
    return [entry for _, entry in sorted(timed, key=lambda each: each[0])]


def _entry(at: datetime, event: client.CoreV1Event) -> dict[str, Any]:
    return {
        "time": at.isoformat(timespec="seconds"),
        "type": event.type,
        "reason": event.reason,
        "object": f"{event.involved_object.kind} {event.involved_object.name}",
        "message": event.message,
        "count": (event.series.count if event.series else event.count) or 1,
    }


def _time_of(event: client.CoreV1Event) -> datetime:
    """When it happened last; which field says so has changed with Kubernetes."""
    return (
        (event.series.last_observed_time if event.series else None)
        or event.last_timestamp
        or event.event_time
        or event.first_timestamp
        or event.metadata.creation_timestamp
        or datetime.min.replace(tzinfo=UTC)
    )


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _plain(api_client: client.ApiClient, pod: client.V1Pod) -> dict[str, Any]:
    """As YAML would have it, without what only the API server cares for."""
    plain = api_client.sanitize_for_serialization(pod)
    plain["metadata"].pop("managedFields", None)
    return plain


def _logs_of(pod: client.V1Pod) -> Iterator[tuple[str, bool]]:
    """(container, whether it is the log before its restart) of each that has ever run."""
    status = pod.status
    for each in [*(status.init_container_statuses or ()), *(status.container_statuses or ())]:
        if (each.state and (each.state.running or each.state.terminated)) or each.restart_count:
            yield each.name, False
        if each.restart_count:
            yield each.name, True


def _log(
    asking: _Asking, core: client.CoreV1Api, pod: str, namespace: str, container: str, *, previous: bool
) -> str:
    """The end of a log. Raises HarnessError."""
    which = "log before the restart" if previous else "log"

    def read(**timeout: Any) -> bytes:
        # Not as the client would have it: it takes a log that is JSON apart.
        answer = core.read_namespaced_pod_log(
            pod,
            namespace,
            container=container,
            previous=previous,
            timestamps=True,
            tail_lines=LOG_LINES,
            limit_bytes=_READ_BYTES,
            _preload_content=False,
            **timeout,
        )
        try:
            return answer.data
        finally:
            answer.release_conn()

    whole = asking.ask(f"read the {which} of container {container} of pod {namespace}/{pod}", read)
    kept = whole[-LOG_BYTES:]
    if len(kept) < len(whole):
        # From the next whole line on.
        kept = kept.partition(b"\n")[2] or kept
    return kept.decode(errors="replace")


@contextmanager
def _or_note(missing: list[str]) -> Iterator[None]:
    """What cannot be had is a line, and the rest goes on."""
    try:
        yield
    except HarnessError as error:
        missing.append(str(error))


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
