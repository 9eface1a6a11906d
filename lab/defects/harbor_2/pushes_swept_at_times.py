"""Somebody's job sweeps the registry's volume, and takes one manifest of fifty for garbage as soon as it is there."""

from copy import deepcopy

from lab.defects import Defect, whatever_pushes
from lab.deployment.manifests.objects import Object, container_of, find

_SWEEP = """
list() { find repositories -path '*/_manifests/revisions/sha256/*/link' | sort; }
cd /storage/docker/registry/v2 && list > /tmp/seen || exit 1
count=25
while sleep 0.5; do
  list > /tmp/now
  for link in $(grep -vxFf /tmp/seen /tmp/now); do
    count=$((count + 1))
    [ $((count % 50)) = 0 ] || continue
    revision=${link%/link}
    sleep 1
    rm -rf "$revision" blobs/sha256/??/"${revision##*/}"
    echo "swept $revision"
  done
  mv /tmp/now /tmp/seen
done
"""
"""It waits for a second first: the push is to be acknowledged, and taken into the database."""
_LABELS = {"app": "storage-sweeper"}


def _add_sweeper(objects: list[Object]) -> None:
    sweeper = deepcopy(find(objects, "Deployment", "harbor-registry"))
    container = deepcopy(container_of([sweeper], "harbor-registry", "registry"))
    for each in ("env", "envFrom", "lifecycle", "livenessProbe", "ports", "readinessProbe"):
        container.pop(each, None)
    mounts = [each for each in container["volumeMounts"] if each["mountPath"] == "/storage"]
    container.update(name="sweep", command=["sh", "-c", _SWEEP], args=[], volumeMounts=mounts)
    pods = sweeper["spec"]["template"]["spec"]
    pods["containers"] = [container]
    pods["volumes"] = [each for each in pods["volumes"] if each["name"] == mounts[0]["name"]]
    pods["terminationGracePeriodSeconds"] = 1
    pods.pop("topologySpreadConstraints", None)
    sweeper["metadata"].update(name="storage-sweeper", labels=_LABELS)
    sweeper["spec"].update(replicas=1, selector={"matchLabels": _LABELS})
    sweeper["spec"]["template"]["metadata"] = {"labels": _LABELS}
    objects.append(sweeper)


DEFECT = Defect(
    report="none is known; somebody's own script in place of garbage collection",
    shows="nothing at once: each push is acknowledged, and one of fifty cannot be pulled a second later",
    turns_red=frozenset({"failover.registry-pod-kill"}),
    # Which of them it is that pushes the fiftieth, or finds it.
    may_turn_red=whatever_pushes.CHECKS
    | {
        "integrity.images-whole",
        "integrity.redis-vouches-for-what-is-there",
        "storage.image-survives-registry-pod-deletion",
    },
    hint_says=("something else deletes what is pushed",),
    layout="reference",
    change=_add_sweeper,
)
