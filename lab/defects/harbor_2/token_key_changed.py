"""Another token key was put into the Secret of core, as each rendering of the chart makes a new one."""

from lab.defects import Defect
from lab.defects.edit import Edit
from lab.deployment.manifests.secrets import token_pair

_EDIT = Edit("harbor-core", "tls.key", lambda: token_pair()[0], workload="harbor-core", kind="Secret")

ON_ONE = Defect(
    report="h#23799, hh#1730",
    shows="pushes and private pulls are refused whenever the token came from another replica; public pulls pass",
    turns_red=frozenset(
        {
            "access.docker-login",
            "configuration.registry-trusts-token-key",
            "configuration.replicas-run-alike",
            "configuration.replicas-run-what-is-declared",
            "configuration.token-key-same-on-every-replica",
            "registry.busybox-push-pull",
            "registry.kubelet-pulls-with-pull-secret",
        }
    ),
    causes=frozenset({"configuration.replicas-run-alike"}),
    hint_says=("Secret", "kubectl rollout restart"),
    plant_outside=_EDIT.plant_on_one,
    heal_outside=_EDIT.heal_one,
)
