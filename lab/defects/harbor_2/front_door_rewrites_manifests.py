"""nginx writes manifests anew on their way out: the same JSON, in other bytes."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find

_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def _rewrite(objects: list[Object]) -> None:
    nginx = find(objects, "ConfigMap", "harbor-nginx")
    rules = ("sub_filter_once off", f"sub_filter_types {' '.join(_TYPES)}", "sub_filter '   ' ' '")
    change_text(nginx, "nginx.conf", "http {\n", "http {\n" + "".join(f"  {rule};\n" for rule in rules))


DEFECT = Defect(
    report="containers/podman#11993",
    shows="docker pull: manifest verification failed for digest",
    turns_red=frozenset(
        {
            "images.docker-manifest-list-unchanged",
            "images.head-agrees-with-get",
            "images.oci-index-unchanged",
        }
    ),
    change=_rewrite,
)
