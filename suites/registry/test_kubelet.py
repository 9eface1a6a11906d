"""Pulling as the cluster itself does."""

import re

from harbor_verify import pull_pods
from harbor_verify.checks import check
from harbor_verify.clients.docker import Docker
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.target import Target

_SOURCE_PORT = re.compile(r"\S+:\d+->")
"""Of a connection, as Go names it (`10.0.0.5:41234->10.0.0.9:443`): where it began, another one each time."""


@check(
    "registry.kubelet-pulls-with-pull-secret",
    hint="The kubelet says why. 401, 403 or `pull access denied` at some pulls only: one {web} replica signs tokens "
    "that others do not trust. `not found` at some only: the registry replicas do not share their storage. Always: "
    "the node does not reach --harbor-url. A node that was never set up for this registry (its CA, a hosts.toml, DNS) "
    "blocks the check, and is no failure of Harbor's.",
    source="Kubernetes: imagePullSecrets, imagePullPolicy Always; containerd: hosts.toml",
    needs=("docker", "pods", "nodes"),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
        "access.docker-login",
        "images.docker-manifest-list-unchanged",
    ),
)
def test_every_node_pulls_a_private_image_with_a_pull_secret(
    harbor: Target, findings: Findings, docker: Docker, image, pods_of_run, tell, blocked
):
    """Every node runs a private image that was just pushed, with a pull secret, at the first try of each pull.

    Source: Kubernetes, imagePullSecrets. The kubelet tries again by itself, which hides that every third pull fails;
    so the nodes pull often enough to have met every replica, and no pull may fail.
    """
    nodes, note = pull_pods.nodes_to_pull_on(harbor)
    if note:
        tell(note)
    most = max(len(harbor.replicas(role)) for role in (Role.WEB, Role.REGISTRY))
    # Each pull asks for a token and for three things more; pods do not all start with the same replica.
    pulls_each = -(-rounds_to_meet_each(most) // len(nodes))
    references = [f"{image.reference}-{number}" for number in range(pulls_each)]
    pushed = []
    try:
        with findings.about(image.reference, "the docker daemon can push"):
            for reference in references:
                docker.tag(image.reference, reference)
                docker.push(reference, harbor.client)
                pushed.append(reference)
    finally:
        for reference in references:
            docker.remove(reference)
    if len(pushed) < len(references):
        return
    not_set_up: dict[str, set[str]] = {}
    for each in pull_pods.run_on_each(harbor, nodes, pushed, harbor.client, run_id=pods_of_run):
        if each.to_set_up:
            not_set_up.setdefault(_of_any_pod(each, image.reference), set()).add(each.node)
            continue
        pod = f"pod {harbor.namespace}/{each.pod} on {each.node}"
        # The same words of each pod, and of each reference: what is wrong with all is then told once.
        with findings.about(pod, f'pulls the image and prints "{image.message}"') as pull:
            if each.printed != image.message:
                pull.wrong(_of_any_pod(each, image.reference) or f'prints "{each.printed}"')
    if not_set_up and not findings.offenders:
        nodes_and_words = (f"{', '.join(sorted(named))}: {words}" for words, named in not_set_up.items())
        blocked(f"nodes that are not set up for {harbor.registry_host}: {'; '.join(nodes_and_words)}")


def _of_any_pod(pulled: pull_pods.Pulled, reference: str) -> str:
    """The kubelet's words without what is another for each pull: pulls that fail alike are told once.

    Each image has the name `reference` and a number at its end; its tag may stand alone.
    """
    tag = re.escape(pulled.image.rpartition(":")[2])
    words = re.sub(rf"(?<![\w.-]){tag}(?![\w-])", reference.rpartition(":")[2], pulled.error_message)
    return _SOURCE_PORT.sub("", words)
