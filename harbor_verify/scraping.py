"""What Harbor's programs tell Prometheus, asked as Prometheus asks it: each pod by itself.

Whether and where a replica does so is read from what is declared for it; whether it is so, from its answer.
"""

from dataclasses import dataclass

from kubernetes.client import V1Pod

from harbor_verify.clients.http import expect, summary
from harbor_verify.clients.replica_link import open_link
from harbor_verify.errors import CannotTell, NoAnswer, UnexpectedAnswer
from harbor_verify.model import controllers
from harbor_verify.model.configuration import given_files
from harbor_verify.model.environment import environment_of
from harbor_verify.model.metrics import Metrics, MetricsEndpoint, metrics_of
from harbor_verify.model.roles import Monitoring, Role
from harbor_verify.model.workloads import Replica, bears_label, runs_image
from harbor_verify.target import Target


@dataclass(frozen=True)
class Exporter:
    """A controller of pods that tell of Harbor as a whole, and its pods."""

    object: str
    desired: int
    pods: list[V1Pod]


def monitoring(target: Target) -> Monitoring:
    """Of a Harbor with Feature.METRICS."""
    assert target.profile.monitoring is not None
    return target.profile.monitoring


def ready_replicas(target: Target) -> dict[Role, list[Replica]]:
    """By role, those that are Ready: what the others lack, other checks say. Raises TargetUnreachable."""
    return {
        role: [replica for replica in target.replicas(role) if replica.ready]
        for role in target.deployment.workloads
    }


def endpoint_of(target: Target, replica: Replica) -> MetricsEndpoint | None:
    """Where a replica is declared to tell its metrics; None: nowhere. Raises WrongConfiguration, TargetUnreachable."""
    deployment = target.deployment
    files = given_files(replica.pod.spec, replica.container, deployment.config_map, deployment.secret)
    return monitoring(target).of(
        replica.workload.role, {each.path: each.text for each in files}, deployment.environment(replica)
    )


def exporters(target: Target) -> list[Exporter]:
    """All that are there. Raises TargetUnreachable."""
    part = monitoring(target).exporter
    return [
        Exporter(
            f"exporter {target.namespace}/{item.metadata.name}",
            controllers.desired_of(item),
            target.deployment.pods_of(item),
        )
        for item in target.deployment.others()
        if bears_label(part, item.spec.template) or runs_image(part, item.spec.template)
    ]


def endpoint_of_exporter(target: Target, pod: V1Pod) -> MetricsEndpoint:
    """Where one of its pods is declared to tell metrics. Raises CannotTell, WrongConfiguration, TargetUnreachable."""
    deployment = target.deployment
    for container in pod.spec.containers:
        environment = environment_of(container, deployment.config_map, deployment.secret)
        if found := monitoring(target).of_exporter(environment):
            return found
    raise CannotTell("no container of its says where it tells metrics")


def read(target: Target, pod: V1Pod, endpoint: MetricsEndpoint) -> Metrics:
    """What a pod tells at its endpoint. Raises AnswerError, CannotTell, TargetUnreachable.

    By port-forward where that is permitted, from inside the cluster, too: a NetworkPolicy that lets Prometheus pass and
    nobody else is no fault.
    """
    forward = not target.kubernetes.inside or target.kubernetes.may_forward(target.namespace)
    link = open_link(
        target.kubernetes,
        name=pod.metadata.name,
        namespace=target.namespace,
        pod=pod.metadata.name,
        address=pod.status.pod_ip,
        port=endpoint.port,
        tls=endpoint.tls,
        timeouts_s=target.settings.timeouts_s,
        forward=forward,
    )
    try:
        answer = link.get(endpoint.path)
    except NoAnswer as silent:
        if forward:
            raise
        raise CannotTell(
            f"{silent}: a NetworkPolicy or a mesh may be in between (with the right to pods/portforward it would be "
            "another way)"
        ) from silent
    finally:
        link.close()
    try:
        return metrics_of(expect(answer, 200).text)
    except ValueError as strange:
        raise UnexpectedAnswer(f"{summary(answer)}, which is no metrics: {strange}", status=200) from strange
