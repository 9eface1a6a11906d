"""Somebody installed the chart with no key of their own in the values: each upgrade makes the token key anew."""

import base64
import gzip
import json

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find, put_text

_RELEASE = {
    "name": "harbor",
    "config": {"core": {"replicas": 3}},
    "chart": {
        "metadata": {"name": "harbor", "version": "1.19.2", "home": "https://goharbor.io"},
        "values": {"core": {"secretName": "", "tokenKey": "", "tokenCert": ""}},
    },
}
"""What Helm keeps of it, as far as anybody reads it here."""


def _remember(objects: list[Object]) -> None:
    labels = {"owner": "helm", "status": "deployed", "name": _RELEASE["name"], "version": "1"}
    namespace = find(objects, "ConfigMap", "harbor-core")["metadata"]["namespace"]
    packed = base64.b64encode(gzip.compress(json.dumps(_RELEASE).encode(), mtime=0)).decode()
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{_RELEASE['name']}.v1",
            "namespace": namespace,
            "labels": labels,
        },
    }
    put_text(secret, "release", packed)
    objects.append(secret)


DEFECT = Defect(
    report="hh#2139, hh#2263",
    shows="nothing, until the next upgrade: while it rolls, one replica refuses what another has signed",
    turns_red=frozenset({"expiry.keys-outlive-the-next-upgrade"}),
    hint_says=("Secret of your own",),
    change=_remember,
)
