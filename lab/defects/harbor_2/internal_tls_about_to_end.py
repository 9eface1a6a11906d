"""Harbor's parts speak TLS with each other, with certificates that end within days."""

from typing import Self

from lab.defects import Defect
from lab.defects.harbor_2.internal_tls_ends_soon import Certificate, speak_tls_with
from lab.deployment.manifests.objects import Object

_DAYS_LEFT = 3


class _OfDays(Certificate):
    """Of a Harbor whose owner has not read what the checks advised for weeks."""

    @classmethod
    def make(cls) -> Self:
        return cls.for_days(_DAYS_LEFT)


def _speak_tls(objects: list[Object]) -> None:
    speak_tls_with(objects, "internal-tls-of-days.json", _OfDays)


DEFECT = Defect(
    report="hh#1775",
    shows="nothing, until the day, a few from now, on which no part of Harbor trusts another any more",
    turns_red=frozenset(
        {
            "configuration.internal-tls-valid-for-days",
            "expiry.authorities-valid-for-days",
            "expiry.certificates-not-about-to-end",
        }
    ),
    causes=frozenset({"expiry.authorities-valid-for-days", "expiry.certificates-not-about-to-end"}),
    hint_says=("internal TLS",),
    alone=True,
    change=_speak_tls,
)
