"""As highly available as the chart gets: images in a bucket, clients sent there for them, and no volume at all."""

from functools import partial

import yaml

from lab.deployment.manifests.objects import Object, find, pod_of, put_text
from lab.layouts import Layout
from lab.stores import object_store

_BUCKET = "harbor-2"


def _use_bucket(objects: list[Object]) -> None:
    registry = find(objects, "ConfigMap", "harbor-registry")
    document = _document(registry)
    del document["storage"]["filesystem"]
    document["storage"]["s3"] = {
        "region": object_store.REGION,
        "bucket": _BUCKET,
        "regionendpoint": object_store.URL,
    }
    _put_document(registry, document)
    keys = find(objects, "Secret", "harbor-registry")
    put_text(keys, "REGISTRY_STORAGE_S3_ACCESSKEY", object_store.ACCESS_KEY)
    put_text(keys, "REGISTRY_STORAGE_S3_SECRETKEY", object_store.SECRET_KEY)
    find(objects, "ConfigMap", "harbor-core")["data"]["REGISTRY_STORAGE_PROVIDER_NAME"] = "s3"


def _log_jobs_in_the_database(objects: list[Object]) -> None:
    jobservice = find(objects, "ConfigMap", "harbor-jobservice")
    document = _document(jobservice)
    document["job_loggers"] = [{"name": "DB", "level": "INFO", "sweeper": {"duration": 14}}]
    _put_document(jobservice, document)


def _drop_volumes(objects: list[Object]) -> None:
    for workload in ("harbor-registry", "harbor-jobservice"):
        for volume in pod_of(objects, workload)["volumes"]:
            if volume.pop("persistentVolumeClaim", None):
                volume["emptyDir"] = {}  # the chart mounts one all the same, and nothing is written there
    objects[:] = [
        each
        for each in objects
        if each["kind"] not in ("PersistentVolume", "PersistentVolumeClaim")
        and (each["kind"], each["metadata"]["name"]) != ("Secret", "harbor-ceph")
    ]


def _document(config_map: Object) -> Object:
    return dict(yaml.safe_load(config_map["data"]["config.yml"]))


def _put_document(config_map: Object, document: Object) -> None:
    config_map["data"]["config.yml"] = yaml.safe_dump(document, sort_keys=False)


def _change(objects: list[Object]) -> None:
    _use_bucket(objects)
    _log_jobs_in_the_database(objects)
    _drop_volumes(objects)


LAYOUT = Layout(
    about="images in a bucket of an object store, to which clients are redirected, job logs in the database, no volume",
    change=_change,
    ensure=partial(object_store.ensure, _BUCKET),
    healthy=object_store.healthy,
    applicable=frozenset({"registry.redirect-leads-to-the-blob"}),
    not_applicable=frozenset(
        {
            "capacity.no-volume-full",
            "capacity.volumes-have-room",
            "images.empty-blob",
            "integrity.storage-holds-what-the-database-knows",
            "storage.access-mode-shared",
            "storage.capacity-honoured",
            "storage.claims-bound",
            "storage.claims-bound-to-intended-volume",
            "storage.reclaim-policy-retains",
            "storage.volume-mounted-in-every-replica",
        }
    ),
)
