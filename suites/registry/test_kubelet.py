"""Pulling as the cluster itself does."""

from harbor_verify import pull_pods
from harbor_verify.checks import check
from harbor_verify.errors import AnswerError
from harbor_verify.luck import rounds_to_meet_each
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge


@check(
    "registry.kubelet-pulls-with-pull-secret",
    hint="The kubelet says why. 401, 403 or `pull access denied` at some pulls only: one {web} replica signs tokens "
    "that others do not trust. `not found` at some only: the registry replicas do not share their storage. Always: "
    "the node does not reach --harbor-url, or its container runtime is not set up for it.",
    source="Kubernetes: imagePullSecrets, imagePullPolicy Always; containerd: hosts.toml",
    needs=("docker", "pods", "nodes"),
)
def test_every_node_pulls_a_private_image_with_a_pull_secret(
    harbor, docker, image, not_applicable, pods_of_run
):
    """Every node runs a private image that was just pushed, with a pull secret, at the first try of each pull.

    Source: Kubernetes, imagePullSecrets. The kubelet tries again by itself, which hides that every third pull fails;
    so the nodes pull often enough to have met every replica, and no pull may fail.
    """
    nodes = [node.metadata.name for node in harbor.deployment.nodes() if not node.spec.unschedulable]
    if not nodes:
        not_applicable("no node of the cluster is Ready and takes pods")
    most = max(len(harbor.replicas(role)) for role in (Role.WEB, Role.REGISTRY))
    # Each pull asks for a token and for three things more; pods do not all start with the same replica.
    pulls_each = -(-rounds_to_meet_each(most) // len(nodes))
    references = [f"{image.reference}-{number}" for number in range(pulls_each)]
    try:
        for reference in references:
            docker.tag(image.reference, reference)
            docker.push(reference, harbor.credentials)
    except AnswerError as refusal:
        judge([Offender(image.reference, "the docker daemon can push", str(refusal))], examined=1)
    finally:
        for reference in references:
            docker.remove(reference)
    pulled = pull_pods.run_on_each(harbor, nodes, references, harbor.credentials, run_id=pods_of_run)
    judge(
        [
            Offender(
                f"pod {harbor.namespace}/{each.pod} on {each.node}",
                f'pulls {each.image} and prints "{image.message}"',
                each.trouble or f'prints "{each.printed}"',
            )
            for each in pulled
            if each.printed != image.message
        ],
        examined=len(pulled),
    )
