"""nginx writes manifests anew on their way out: the same JSON, in other bytes."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find

_REWRITE = "proxy_pass http://core; sub_filter_once off; sub_filter_types *; sub_filter '   ' ' ';"


def _rewrite(objects: list[Object]) -> None:
    nginx = find(objects, "ConfigMap", "harbor-nginx")
    layers = "location /v2/ {"
    change_text(nginx, "nginx.conf", layers, f"location ~ ^/v2/.*/manifests/ {{ {_REWRITE} }} {layers}")


DEFECT = Defect(
    report="containers/podman#11993",
    shows="docker pull: manifest verification failed for digest",
    turns_red=frozenset(
        {
            "images.docker-manifest-list-unchanged",
            "images.head-agrees-with-get",
            "images.oci-index-unchanged",
            "registry.busybox-push-pull",
            "registry.kubelet-pulls-with-pull-secret",
        }
    ),
    causes=frozenset(
        {
            "images.docker-manifest-list-unchanged",
            "images.head-agrees-with-get",
            "images.oci-index-unchanged",
        }
    ),
    hint_says=("let the front door pass bodies and Content-Type as they are",),
    change=_rewrite,
)
