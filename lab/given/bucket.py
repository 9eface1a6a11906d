"""An object store outside the manifests: a bucket of the lab's stands in its place; redirects stay as they are."""

import yaml

from lab.deployment.manifests.objects import Object, of_kind
from lab.given import text
from lab.given.stores import registry_configuration
from lab.harbor.harbor_2.bucket import Bucket

_DRIVERS = ("s3", "gcs", "azure", "swift", "oss", "cos")


def adapt(objects: list[Object], bucket: Bucket) -> tuple[list[str], dict[str, str]]:
    """Let registries that keep images in an object store keep them in this bucket, the lab's.

    Returns what was changed, in sentences, and its keys, by the variables that the registry reads them from.
    """
    notes = []
    for config_map in of_kind(objects, "ConfigMap"):
        document = registry_configuration((config_map.get("data") or {}).get("config.yml", ""))
        driver = next((each for each in _DRIVERS if document and each in document["storage"]), None)
        if not document or not driver:
            continue
        former = document["storage"].pop(driver)
        document["storage"]["s3"] = {
            "region": bucket.region,
            "bucket": bucket.name,
            "regionendpoint": bucket.endpoint,
            "secure": False,
            "v4auth": True,
            "accesskey": bucket.access_key,
            "secretkey": bucket.secret_key,
        }
        config_map["data"]["config.yml"] = yaml.safe_dump(document, sort_keys=False)
        place = (former or {}).get("bucket") or (former or {}).get("container") or "without a name"
        notes.append(f"images in {driver}, {place}: a bucket of the lab's S3 gateway")
    if notes:
        for variable in text.named(objects, "REGISTRY_STORAGE_PROVIDER_NAME"):
            variable.value = "s3"
        keys = {
            "REGISTRY_STORAGE_S3_ACCESSKEY": bucket.access_key,
            "REGISTRY_STORAGE_S3_SECRETKEY": bucket.secret_key,
        }
        return notes, keys
    return [], {}
