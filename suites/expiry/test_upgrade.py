"""Keys that end with the next upgrade."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "expiry.keys-outlive-the-next-upgrade",
    hint="Take what is in use now into a Secret of your own (`kubectl get secret`, tls.key and tls.crt), name it in "
    "the values that are told, and upgrade once: from then on upgrades change it no more. Whoever renders the chart "
    "elsewhere (Argo CD, `helm template`) has to name all secrets: there nothing can be looked up.",
    source="The chart: templates of its Secrets; Helm: lookup; report 30852 of bitnami/charts, 2139 and 2263 of "
    "goharbor/harbor-helm",
    severity=SHOULD,
)
def test_the_next_upgrade_keeps_the_keys_that_are_in_use(harbor: Target, findings: Findings, not_applicable):
    """The next upgrade of Harbor's chart, with the values that it has now, makes no key or certificate anew.

    Source: the values of the release, as Helm keeps them in the namespace. What somebody else renders is not seen.
    """
    releases = harbor.deployment.helm_releases()
    if not releases:
        not_applicable(
            "no Secret of Helm's is in the namespace: who renders the manifests, and with which values, was NOT seen, "
            "nor whether keys are made anew"
        )
    for release in releases:
        if (anew := harbor.profile.made_anew(release)) is None:
            continue
        with findings.about(
            f"Helm release {harbor.namespace}/{release.name}", "its values name every key"
        ) as values:
            for each in anew:
                values.wrong(f"chart {release.chart} makes anew: {each}")
    if not findings.examined:
        charts = ", ".join(release.chart for release in releases)
        not_applicable(f"what chart {charts} makes anew is not known")
