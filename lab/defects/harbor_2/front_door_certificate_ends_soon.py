"""The front door's certificate ends within three weeks, and nothing renews it."""

from lab import authority, settings
from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find, put_text


def _let_it_end(objects: list[Object]) -> None:
    issued = authority.pair("front-door-ends-in-weeks", settings.NODES.values(), valid_days=20)
    secret = find(objects, "Secret", "harbor-nginx")
    put_text(secret, "tls.crt", issued.certificate)
    put_text(secret, "tls.key", issued.key)


DEFECT = Defect(
    report="hh#2177, h#16929",
    shows="nothing, until the day on which every docker client says x509: certificate has expired",
    layout="tls",
    turns_red=frozenset({"configuration.front-door-certificate-valid-for-days"}),
    hint_says=("certificate",),
    change=_let_it_end,
)
