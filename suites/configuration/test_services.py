"""Whether requests reach the replicas through the Services, of which nobody sees who answers."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import last_look


@check(
    "configuration.services-select-every-ready-replica",
    hint="Compare the Service's selector with the labels of the pods (`kubectl get svc,pods --show-labels`), and "
    "`kubectl get endpointslices` with the pods' addresses. A replica that is missing takes no share of the "
    "requests; one too many gets requests that are not for it.",
    source="Kubernetes: Service spec.selector, EndpointSlice endpoints.conditions.ready",
    builds_on=("configuration.components-replicated",),
)
def test_a_service_leads_to_every_ready_replica_and_to_nothing_else(
    harbor: Target, findings: Findings, settings: Settings
):
    """The ready endpoints of every Service of Harbor's are exactly the Ready replicas of the workload behind it.

    Source: Kubernetes API. A part that is replicated has a Service: nobody else spreads requests over its replicas.
    """
    # A pod may be turning Ready just now; its endpoint follows within a moment.
    seen = last_look(
        "each Service leads to the Ready replicas",
        lambda: _compared(harbor),
        lambda compared: not compared.offenders,
        deadline="connect_timeout_s",
        timeout_s=settings.connect_timeout_s,
    )
    findings.take(seen)


def _compared(harbor):
    """Findings about each Service: its ready endpoints are the Ready replicas, and it is there at all."""
    deployment, findings = harbor.deployment, Findings()
    all_replicas = deployment.all_replicas()
    for role, workload in deployment.workloads.items():
        services = deployment.services_of(workload)
        with findings.about(workload.object, "a Service chooses its pods") as workload_service:
            if not services and deployment.profile.parts[role].replicated:
                workload_service.wrong("none does")
        ready = {replica.uid: replica.name for replica in all_replicas[role] if replica.ready}
        # Those that publish what is not Ready as well are for finding peers, not for requests.
        for service in [s for s in services if not s.spec.publish_not_ready_addresses]:
            led_to = {_uid(e): _name(e) for e in deployment.endpoints(service.metadata.name)}
            missing = [name for uid, name in ready.items() if uid not in led_to]
            others = [name for uid, name in led_to.items() if uid not in ready]
            wrong = [f"it does not lead to {', '.join(missing)}"] if missing else []
            wrong += [f"it leads to {', '.join(others)} as well"] if others else []
            # None on either side is no agreement: nobody is served.
            wrong += [] if ready or led_to else ["it leads to nothing, and no replica is Ready"]
            expected = (
                f"leads to the Ready replicas of {workload.name}: {', '.join(ready.values()) or 'none'}"
            )
            with findings.about(f"Service {harbor.namespace}/{service.metadata.name}", expected) as endpoints:
                if wrong:
                    endpoints.wrong("; ".join(wrong))
    return findings


def _uid(endpoint):
    return endpoint.target_ref.uid if endpoint.target_ref else endpoint.addresses[0]


def _name(endpoint):
    return endpoint.target_ref.name if endpoint.target_ref else endpoint.addresses[0]
