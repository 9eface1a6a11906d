"""The certificate that the ingress controller shows ends in three days: whatever renews it does so no more."""

from lab import authority, settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, of_kind, put_text

_DAYS_LEFT = 3


def _show(objects: list[Object]) -> None:
    (secret,) = [each for each in of_kind(objects, "Secret") if each.get("type") == "kubernetes.io/tls"]
    issued = authority.pair(secret["metadata"]["name"], settings.NODES.values(), valid_days=_DAYS_LEFT)
    put_text(secret, "tls.crt", issued.certificate)
    put_text(secret, "tls.key", issued.key)


DEFECT = Defect(
    report="hh#2177; cert-manager: a Certificate whose issuer is gone",
    shows="nothing, until the day on which docker, every node and every browser refuse to speak with Harbor",
    turns_red=frozenset(
        {"configuration.front-door-certificate-valid-for-days", "expiry.certificates-not-about-to-end"}
    ),
    causes=frozenset({"expiry.certificates-not-about-to-end"}),
    hint_says=("cert-manager",),
    layout="ingress",
    change=_show,
)
