"""Metrics of Harbor's parts: whether each replica tells them, and whether they are of what it does."""

from harbor_verify import scraping
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.http import expect
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target
from harbor_verify.waiting import last_look

_REQUESTS = 10
_LATE_S = 3
"""An answer may be there a moment before it is counted."""


@check(
    "configuration.metrics-served",
    hint="A replica that Prometheus does not get is missing in graphs and sums, and raises no alert: most rules are "
    "silent about who is not there. Nothing listens: it was started before metrics were switched on (the chart: "
    "metrics.enabled); `kubectl rollout restart` of it. Listens on localhost: give http.debug.addr of the registry no "
    "host (`:8001`). Another answer than metrics: compare path and port with METRIC_PATH and METRIC_PORT of the {web}, "
    "and with what your ServiceMonitor asks.",
    source="Prometheus: text exposition format; the chart: metrics.enabled; distribution: http.debug.prometheus",
    requires=(Feature.METRICS,),
    severity=SHOULD,
    builds_on=("configuration.replicas-run-alike",),
)
def test_every_replica_that_has_metrics_tells_them(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """Every Ready replica of a part whose metrics are switched on tells them, on a port that others reach.

    Source: its settings say where; it is asked there. One that has them while its sibling has not is wrong; a part that
    has them on none of its replicas is passed over.
    """
    count = 0
    for endpoints in _switched_on(harbor, findings):
        for replica, endpoint in endpoints:
            with findings.about(replica.object, "tells its metrics, as its siblings do") as each:
                if endpoint is None:
                    each.wrong("by its settings it has none")
                    continue
                count += 1
                told = scraping.read(harbor, replica.pod, endpoint)
                if lacking := [name for name in endpoint.always if name not in told]:
                    each.wrong(f"port {endpoint.port}{endpoint.path} tells nothing of {', '.join(lacking)}")
                if endpoint.is_local:
                    each.wrong(
                        f"it listens on {endpoint.listens_at}:{endpoint.port}, which only the pod reaches"
                    )
    measured["metrics_endpoints_count"] = count
    if not count and not findings.offenders:
        not_applicable("metrics are switched on in no part of Harbor")


@check(
    "configuration.metrics-count-requests",
    hint="Port and path lead to metrics of something else than the process that answers: another container of the pod, "
    "a proxy. Or METRIC_NAMESPACE and METRIC_SUBSYSTEM are others than the names of these metrics begin with.",
    source="Harbor: metrics of requests; distribution: registry_http_requests_total",
    requires=(Feature.METRICS,),
    severity=SHOULD,
    builds_on=("configuration.metrics-served",),
)
def test_every_replica_counts_the_requests_that_it_answers(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """A replica that has metrics counts each request that it answers.

    Source: ten requests to each replica that has a counter of them (GET /v2/, by nobody), and its counters before and
    after. What others ask meanwhile is counted, too: they may have risen by more.
    """
    counting = [
        (replica, endpoint)
        for endpoints in _switched_on(harbor, findings)
        for replica, endpoint in endpoints
        if endpoint is not None and endpoint.requests
    ]
    if not counting and not findings.offenders:
        not_applicable("no replica has metrics of its requests")
    for replica, endpoint in counting:
        with findings.about(replica.object, f"counts {_REQUESTS} requests that it has answered") as each:
            before = scraping.read(harbor, replica.pod, endpoint).total(endpoint.requests)
            link = harbor.new_link(replica)
            try:
                for _ in range(_REQUESTS):
                    expect(link.get("/v2/"), 200, 401)
            finally:
                link.close()
            after = _counted(harbor, replica, endpoint, before + _REQUESTS)
            if after < before:
                raise CannotTell(f"its counters began anew meanwhile ({before:g}, then {after:g})")
            if after < before + _REQUESTS:
                each.wrong(f"{endpoint.requests} was {before:g} in all, and is {after:g}")
    measured["replicas_that_count_requests_count"] = len(counting)


def _counted(harbor, replica, endpoint, wanted):
    """What its counters come to, once that is enough, or it stays too little."""
    return last_look(
        "requests are counted",
        lambda: scraping.read(harbor, replica.pod, endpoint).total(endpoint.requests),
        lambda total: total >= wanted,
        deadline="an answer's own counting",
        timeout_s=_LATE_S,
    )


def _switched_on(harbor, findings):
    """Of each part with metrics on any of its replicas: where each replica tells them, None for one that does not."""
    found = []
    for replicas in scraping.ready_replicas(harbor).values():
        endpoints = []
        for replica in replicas:
            with findings.about(replica.object, "its settings say whether and where it tells metrics"):
                endpoints.append((replica, scraping.endpoint_of(harbor, replica)))
        if any(endpoint for _, endpoint in endpoints):
            found.append(endpoints)
    return found
