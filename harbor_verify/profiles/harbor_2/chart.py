"""What the chart of Harbor 2.x makes anew each time that it is rendered.

Source: the chart, 1.16 to 1.19: templates of the Secrets. With an upgrade by Helm itself core's `secret`, CSRF_KEY and
the secrets of jobservice and registry are looked up, and stay.
"""

from harbor_verify.model.helm import Release, value


def made_anew(release: Release) -> list[str] | None:
    """What the next upgrade replaces, with the values that would keep it; None for another chart."""
    if "goharbor.io" not in release.home:
        return None

    def told(*paths: str) -> bool:
        return any(value(release.values, path) for path in paths)

    found = []
    if not told("core.secretName", "core.tokenKey"):
        found.append(
            "the key that tokens are signed with (core.secretName, or core.tokenKey and core.tokenCert): while it "
            "rolls, one replica refuses what another has signed"
        )
    if told("internalTLS.enabled") and value(release.values, "internalTLS.certSource") == "auto":
        found.append(
            "authority and certificates of internal TLS (internalTLS.certSource: secret): while it rolls, old and new "
            "pods do not trust each other"
        )
    if told("expose.tls.enabled") and value(release.values, "expose.tls.certSource") == "auto":
        found.append(
            "the front door's certificate and its authority (expose.tls.certSource: secret): docker and every node "
            "have to trust another one"
        )
    return found
