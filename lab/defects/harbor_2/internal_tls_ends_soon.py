"""Harbor's parts speak TLS with each other (the chart: internalTLS), with certificates that nobody has renewed."""

from dataclasses import dataclass, field
from typing import Self

from lab import settings
from lab.defects import Defect
from lab.deployment.manifests.internal_tls import hosts, speak_tls
from lab.deployment.manifests.objects import Object
from lab.deployment.manifests.secrets import kept, key_pair

_DAYS_LEFT = 20


@dataclass(frozen=True)
class Certificate:
    """One for all parts, and its own authority."""

    key: str = field(repr=False)
    certificate: str

    @classmethod
    def make(cls) -> Self:
        return cls.for_days(_DAYS_LEFT)

    @classmethod
    def for_days(cls, days: int) -> Self:
        return cls(*key_pair("harbor-internal-tls", hosts=hosts(), valid_days=days))


def speak_tls_with(objects: list[Object], file: str, kind: type[Certificate]) -> None:
    """Let the parts speak TLS with the certificate of this kind that is kept in a file of the lab's."""
    made = kept(settings.STATE / file, kind)
    speak_tls(objects, certificate=made.certificate, key=made.key, authority=made.certificate)


DEFECT = Defect(
    report="hh#1775",
    # That nothing else turns red shows that a Harbor with internal TLS is verified like any other.
    shows="nothing, until the day on which no part of Harbor trusts another any more, all at once",
    turns_red=frozenset({"configuration.internal-tls-valid-for-days", "expiry.authorities-valid-for-days"}),
    applicable=frozenset({"expiry.certificates-not-about-to-end"}),
    alone=True,
    change=lambda objects: speak_tls_with(objects, "internal-tls-of-weeks.json", Certificate),
)
