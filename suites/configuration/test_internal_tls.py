"""TLS between Harbor's own components, where it is used."""

from datetime import timedelta

from cryptography import x509

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.certificates import end_of
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.model import configuration
from harbor_verify.model.roles import Feature
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "configuration.internal-tls-valid-for-days",
    hint="Renew the certificates of the components' Secrets (the chart: internalTLS; with certSource auto they are "
    "made when the chart is rendered, for a year, and nothing renews them), {after_change}: a component reads its "
    "certificate at its start. The limit is a setting: --certificate-days.",
    source="Harbor: internal TLS; X.509: notAfter; report 1775 of goharbor/harbor-helm",
    requires=(Feature.INTERNAL_TLS,),
    severity=SHOULD,
    builds_on=("expiry.certificates-not-about-to-end",),
)
def test_certificates_between_components_stay_valid(
    harbor: Target, findings: Findings, settings: Settings, need, not_applicable
):
    """Every certificate that a component of Harbor serves other components with stays valid for some weeks.

    Source: the certificate file that a replica's environment names, where it does (a web server of theirs is told by
    its own configuration), and the one that each shows whoever connects: it reads its file at its start, and a Secret
    may have been renewed since. How many days is a setting.
    """
    limit = clock.now() + timedelta(days=settings.certificate_days)
    for role in harbor.deployment.workloads:
        for replica in harbor.deployment.replicas(role):
            path = harbor.profile.internal_tls(harbor.deployment.environment(replica))
            certificates = []
            if path:
                expected = f"{path} is valid for {settings.certificate_days} days at least"
                with findings.about(replica.object, expected) as served:
                    try:
                        certificates = x509.load_pem_x509_certificates(
                            _file(replica, path, harbor, need).encode()
                        )
                    except ValueError as malformed:
                        served.wrong(f"it is no certificate: {malformed}")
                        continue
                    for each in certificates:
                        if each.not_valid_after_utc < limit:
                            served.wrong(f"{each.subject.rfc4514_string()}: {end_of(each)}")
            if not replica.workload.tls:
                continue
            expected = (
                f"the certificate that it serves is valid for {settings.certificate_days} days at least"
            )
            with findings.about(replica.object, expected) as shown:
                shown_der = harbor.served_certificate(replica)
                if not shown_der:
                    raise CannotTell("it showed no certificate")
                served_now = x509.load_der_x509_certificate(shown_der)
                if served_now.not_valid_after_utc < limit:
                    newer = bool(certificates) and all(
                        each.not_valid_after_utc >= limit for each in certificates
                    )
                    shown.wrong(
                        f"{served_now.subject.rfc4514_string()}: {end_of(served_now)}"
                        + (f"; {path} has a newer one, which was not read yet" if newer else "")
                    )
    if not findings.examined:
        not_applicable("internal TLS is not used")


def _file(replica, path, harbor, need):
    text = configuration.text_at(
        path, replica.pod.spec, replica.container, harbor.deployment.config_map, harbor.deployment.secret
    )
    if text is None:
        need("exec")
        text = harbor.run(replica, ["cat", path])
    return text
