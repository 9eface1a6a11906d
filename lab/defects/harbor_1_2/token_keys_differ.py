"""One ui replica signs its tokens with another key than the registry's certificate is of."""

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, find, mount_of, pod_of, tell_node
from lab.deployment.manifests.secrets import kept
from lab.profiles.harbor_1_2 import Secrets


def _give_one_another_key(objects: list[Object]) -> None:
    """A folder of files for each node, and there is one replica on each: the last gets the other key."""
    data = find(objects, "ConfigMap", "harbor-ui-config")["data"]
    data["other-pkey"] = kept(settings.STATE / "other-secrets.json", Secrets).token_key
    (volume,) = [each for each in pod_of(objects, "ui-rc")["volumes"] if each["name"] == "config"]
    *_, last = settings.NODES
    volume["configMap"]["items"] = [
        {
            "key": "other-pkey" if (node, item["key"]) == (last, "pkey") else item["key"],
            "path": f"{node}/{item['path']}",
        }
        for node in settings.NODES
        for item in volume["configMap"]["items"]
    ]
    container = container_of(objects, "ui-rc")
    tell_node(container)
    mount_of(container, "config")["subPathExpr"] = "$(NODE_NAME)"


DEFECT = Defect(
    report="h#23799, h#18773",
    shows="every third docker login, push or pull is refused, as the registry does not trust one ui's tokens",
    turns_red=frozenset(
        {
            "access.docker-login",
            "configuration.registry-trusts-token-key",
            "configuration.token-key-same-on-every-replica",
            "registry.busybox-push-pull",
            "registry.delete-removes",
            "registry.kubelet-pulls-with-pull-secret",
            "registry.repository-appears-in-harbor",
        }
    ),
    causes=frozenset({"configuration.token-key-same-on-every-replica"}),
    change=_give_one_another_key,
)
