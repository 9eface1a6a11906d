"""Whether what is stored was encrypted with the key that is used now."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target


@check(
    "configuration.stored-passwords-readable",
    hint="An answer of 500 means that the secret key is another than when the passwords of other registries were "
    "stored: replication and proxy caches fail. A chart that is rendered without the cluster (Argo CD, helm template) "
    "makes a new key each time: set it (the chart: secretKey, or existingSecretSecretKey), {after_change}. Put the old "
    "key back; if it is lost, enter the passwords of the registries anew.",
    source="Harbor: GET …/registries; report 30852 of bitnami/charts, 2139 and 2263 of goharbor/harbor-helm",
    requires=(Feature.SECRET_KEY,),
    builds_on=("access.login-accepts-right-password",),
)
def test_stored_passwords_can_be_read(harbor: Target, findings: Findings, not_applicable):
    """Every web replica can read the passwords of other registries that are stored.

    Source: the list of registries: to give it, Harbor decrypts what is stored. Nothing is stored for it.
    """
    known = {}
    for replica in harbor.replicas(Role.WEB):
        with findings.about(replica.object, "lists the registries that it knows (200)"):
            known[replica.object] = harbor.web(replica).registries(harbor.administrator(replica))
    if not findings.offenders and not findings.unknowns and not any(known.values()):
        not_applicable("no other registry is known to this Harbor, so no password of one is stored")
