"""One core signs its tokens, and checks those of others, with another key than the rest."""

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, find, pod_of, put_text, tell_node
from lab.deployment.manifests.secrets import kept
from lab.profiles.harbor_2 import Secrets

_VOLUME, _OTHER = "token-service-private-key", "other-tls.key"


def _give_one_another_key(objects: list[Object]) -> None:
    """A key for each node, and there is one replica on each: the last gets the other one."""
    other = kept(settings.STATE / "other-secrets-2.json", Secrets).token_key
    put_text(find(objects, "Secret", "harbor-core"), _OTHER, other)
    (volume,) = [each for each in pod_of(objects, "harbor-core")["volumes"] if each["name"] == _VOLUME]
    *_, last = settings.NODES
    volume["secret"]["items"] = [
        {"key": _OTHER if node == last else "tls.key", "path": f"{node}/tls.key"} for node in settings.NODES
    ]
    container = container_of(objects, "harbor-core")
    tell_node(container)
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == _VOLUME]
    del mount["subPath"]
    mount["subPathExpr"] = "$(NODE_NAME)/tls.key"


DEFECT = Defect(
    report="h#23799",
    shows="pushes and private pulls are refused whenever the token came from another replica; public pulls pass",
    turns_red=frozenset(
        {
            "access.docker-login",
            "configuration.registry-trusts-token-key",
            "configuration.token-key-same-on-every-replica",
            "registry.busybox-push-pull",
            "registry.kubelet-pulls-with-pull-secret",
            "failover.registry-pod-kill",
        }
    ),
    causes=frozenset({"configuration.token-key-same-on-every-replica"}),
    change=_give_one_another_key,
)
