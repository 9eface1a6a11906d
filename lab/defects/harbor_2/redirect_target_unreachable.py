"""The registry sends clients to its object store by the name of a Service, which nobody outside the cluster knows."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find
from lab.stores import object_store

_NAME = "object-store"


def _name_a_service(objects: list[Object]) -> None:
    registry = find(objects, "ConfigMap", "harbor-registry")
    metadata = {**registry["metadata"], "name": _NAME}
    port = {"name": "http-s3", "port": object_store.PORT}
    address, _, _ = object_store.URL.removeprefix("http://").partition(":")
    objects += [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}},
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": metadata,
            "subsets": [{"addresses": [{"ip": address}], "ports": [port]}],
        },
    ]
    inside = f"http://{_NAME}.{metadata['namespace']}.svc.cluster.local:{object_store.PORT}"
    change_text(registry, "config.yml", object_store.URL, inside)


DEFECT = Defect(
    report="h#15542, h#20588, h#23050",
    shows="docker login works and manifests come, but docker push and pull end at a host that nobody finds",
    layout="object-store",
    turns_red=frozenset(
        {
            "access.anonymous-may-pull-public-but-not-push",
            "access.robot-account-pushes-and-pulls",
            "images.docker-manifest-list-unchanged",
            "images.head-agrees-with-get",
            "images.layer-sizes",
            "images.long-names",
            "images.mount-across-repositories",
            "images.oci-index-unchanged",
            "images.pull-resumes",
            "images.range-passed-on",
            "images.unchanged-means-unchanged",
            "images.upload-forms",
            "integrity.redis-vouches-for-what-is-there",
            "registry.busybox-push-pull",
            "registry.concurrent-pushes",
            "registry.kubelet-pulls-with-pull-secret",
            "registry.pushed-on-one-pulled-on-every",
            "registry.redirect-leads-to-the-blob",
            "registry.upload-continues-on-another-replica",
        }
    ),
    causes=frozenset({"registry.redirect-leads-to-the-blob"}),
    change=_name_a_service,
)
