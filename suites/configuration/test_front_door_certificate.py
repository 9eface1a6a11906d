"""How long the certificate of the front door stays valid."""

from datetime import timedelta
from urllib.parse import urlsplit

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.certificates import end_of, shown_at
from harbor_verify.findings import Findings
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "configuration.front-door-certificate-valid-for-days",
    hint="Renew it where it comes from: cert-manager (`kubectl get certificate,certificaterequest`), or the Secret of "
    "the Ingress or of the front door. One that the chart makes (expose.tls.certSource: auto) is for a year, and "
    "nothing renews it. Whoever serves it may have to be told to read it again. On the day that it ends every client "
    "says x509. The limit is a setting: --certificate-days.",
    source="X.509: notAfter; report 16929 of goharbor/harbor, 2177 of goharbor/harbor-helm",
    severity=SHOULD,
    builds_on=("expiry.certificates-not-about-to-end",),
)
def test_the_certificate_of_the_front_door_stays_valid(
    harbor: Target, findings: Findings, settings: Settings, not_applicable
):
    """The certificate that Harbor's URL shows stays valid for some weeks.

    Source: the certificate that is shown to who connects. How many days is a setting.
    """
    url = urlsplit(harbor.url)
    if url.scheme != "https":
        not_applicable(f"clients come by {harbor.url}, without TLS")
    limit = clock.now() + timedelta(days=settings.certificate_days)
    expected = f"its certificate is valid for {settings.certificate_days} days at least"
    with findings.about(f"front door {harbor.url}", expected) as served:
        certificate = shown_at(url.hostname or "", url.port or 443, timeout_s=settings.connect_timeout_s)
        if certificate.not_valid_after_utc < limit:
            served.wrong(f"{certificate.subject.rfc4514_string() or 'it'}: {end_of(certificate)}")
