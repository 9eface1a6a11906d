"""The portal's limit of memory is too low for what it needs at times: it is killed, and comes back."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, pod_of

_MARK = "/killed"
_ONCE = f"[ -e {_MARK}/once ] || {{ touch {_MARK}/once; exec tail /dev/zero; }}; exec nginx -g 'daemon off;'"


def _limit(objects: list[Object]) -> None:
    container = container_of(objects, "harbor-portal")
    container["resources"] = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    # Each container takes more than that once.
    container["command"] = ["/bin/sh", "-c", _ONCE]
    container["volumeMounts"].append({"name": "killed", "mountPath": _MARK})
    pod_of(objects, "harbor-portal")["volumes"].append({"name": "killed", "emptyDir": {}})


DEFECT = Defect(
    report="traPtitech/manifest#910, hh#1622, hh#2222",
    shows="all pods are Ready whenever one looks, and requests are lost every day",
    turns_red=frozenset({"configuration.containers-stay-up"}),
    hint_says=("OOMKilled", "memory limit"),
    takes=frozenset({"resources of containers"}),
    change=_limit,
)
