"""Certificates that end: of all that Harbor shows and is shown, and of those who vouch for them."""

from datetime import timedelta

from harbor_verify import clock, shown_certificates
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.certificates import end_of
from harbor_verify.errors import CannotTell, NoAnswer
from harbor_verify.findings import Findings
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_STORES = {
    "database": shown_certificates.of_database,
    "session-store": shown_certificates.of_session_store,
}
"""By what it needs to ask there."""


@check(
    "expiry.certificates-not-about-to-end",
    hint="Renew it today. The front door: cert-manager (`kubectl get certificate,certificaterequest`), or the Secret "
    "of the Ingress. Harbor's own parts: the Secrets of internal TLS (the chart: internalTLS; one that it made itself "
    "is for a year), {after_change}. Database or Redis: its own certificate, and "
    "most have to be told to read it again (PostgreSQL: SELECT pg_reload_conf(); Redis: CONFIG SET tls-cert-file). On "
    "the day it ends every client of it says x509, all at once. How few days are too few is a setting: --last-days.",
    source="X.509: notAfter; reports 16929 of goharbor/harbor, 1775 and 2177 of goharbor/harbor-helm",
)
def test_no_certificate_in_use_is_about_to_end(
    harbor: Target, findings: Findings, settings: Settings, need, not_applicable, measured, listed
):
    """No certificate that Harbor's URL, its parts, its database or its Redis shows has ended, or ends within days.

    Source: the certificate that each shows to who connects. How many days is a setting; that more is well advised is
    said by the checks of certificates that stay valid for some weeks.
    """
    shown = shown_certificates.of_front_door(harbor) + shown_certificates.of_replicas(harbor)
    shown += _of_stores(harbor, findings, need)
    left = _judge(findings, shown, settings.last_days, listed)
    if left:
        measured["shortest_certificate_days"] = min(left)
    if not findings.examined:
        not_applicable("neither Harbor nor its stores speak TLS")


@check(
    "expiry.store-certificates-valid-for-days",
    hint="Renew the certificate of the database or of Redis where it comes from, and have the server read it again "
    "(PostgreSQL: SELECT pg_reload_conf(); Redis: CONFIG SET tls-cert-file, or a restart of one after the other; "
    "PgBouncer: RELOAD). On the day it ends no {web} replica can connect any more. How many days are few is a setting: "
    "--certificate-days.",
    source="X.509: notAfter; PostgreSQL: ssl_cert_file; Redis: tls-cert-file",
    severity=SHOULD,
    builds_on=("expiry.certificates-not-about-to-end",),
)
def test_certificates_of_database_and_session_store_stay_valid(
    harbor: Target, findings: Findings, settings: Settings, need, not_applicable
):
    """The certificates that the database and the session store show stay valid for some weeks.

    Source: the certificate that each shows to who connects: of Redis with Sentinels, each Sentinel. How many days is a
    setting.
    """
    _judge(findings, _of_stores(harbor, findings, need), settings.certificate_days)
    if not findings.examined:
        not_applicable("Harbor speaks TLS neither with its database nor with its Redis")


@check(
    "expiry.authorities-valid-for-days",
    hint="With an authority end all certificates that it has signed, however long they are valid themselves. Make its "
    "successor now; give both to all who trust it (`caBundleSecretName`, the Secrets of internal TLS, docker's "
    "certs.d, containerd's hosts.toml on every node), {after_change}; then sign anew, and take the old one away last. "
    "How many days are few is a setting: --certificate-days.",
    source="X.509: notAfter, basicConstraints; RFC 5280: path validation",
    severity=SHOULD,
)
def test_authorities_that_harbor_is_given_stay_valid(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, listed
):
    """Every certificate authority that Harbor's pods are given in a file stays valid for some weeks.

    Source: the ConfigMaps and Secrets that they mount. Of several of one name in a file the one counts that ends last.
    Authorities of the images' own systems are not looked at.
    """
    limit = clock.now() + timedelta(days=settings.certificate_days)
    for place, authority in shown_certificates.authorities(harbor):
        expected = (
            f"{authority.subject.rfc4514_string()} is valid for {settings.certificate_days} days at least"
        )
        name = authority.subject.rfc4514_string()
        ends = {"what": name, "kind": "authority", "at": authority.not_valid_after_utc.isoformat()}
        listed["ends"].append({**ends, "least_days": settings.certificate_days})
        with findings.about(place, expected) as given:
            if authority.not_valid_after_utc < limit:
                given.wrong(end_of(authority))
    if not findings.examined:
        not_applicable("no file that Harbor's pods are given holds a certificate authority")


def _of_stores(harbor, findings, need):
    """What the stores show. One that cannot be asked is something that was missing."""
    found = []
    for name, of_store in _STORES.items():
        if shown := of_store(harbor):
            with findings.about(name, "its certificate can be seen from here"):
                need(name)
                found += shown
    return found


def _judge(findings, shown, days, listed=None):
    """The days that each has left; they are `listed` where that is given."""
    now, left = clock.now(), []
    for each in shown:
        with findings.about(
            each.place, f"the certificate that it shows is valid for {days} days at least"
        ) as served:
            try:
                certificate = each.look()
            except NoAnswer as silent:
                raise CannotTell(str(silent)) from silent
            remaining = certificate.not_valid_after_utc - now
            left.append(remaining.days)
            if listed is not None:
                ends = {"what": each.place, "kind": "certificate"}
                ends["at"] = certificate.not_valid_after_utc.isoformat()
                listed["ends"].append({**ends, "least_days": days})
            if remaining < timedelta(days=days):
                served.wrong(f"{certificate.subject.rfc4514_string() or 'it'}: {end_of(certificate)}")
    return left
