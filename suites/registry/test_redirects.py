"""Where clients are sent for blobs: with images in an object store, there and not to Harbor."""

from harbor_verify.checks import check
from harbor_verify.clients.image import digest_of
from harbor_verify.doors import Door, behind
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature


@check(
    "registry.redirect-leads-to-the-blob",
    hint="For each blob the registry answers with a redirect to its object store (307), and the client goes there "
    "by itself: manifests come, layers do not, and docker push, which asks for layers first, ends there, too. Look at "
    "the address in the registry's storage section (s3: `regionendpoint`): clients, not only Harbor's pods, must "
    "resolve it, reach it through their firewalls and trust its certificate. A 403: the keys, or the clock of the "
    "registry's nodes (its signatures hold for 20 minutes). Where clients cannot go there, let the registry pass the "
    "bytes on: `redirect: disable: true` (the chart: persistence.imageChartStorage.disableredirect).",
    source="distribution: storage.redirect; the chart: persistence.imageChartStorage.disableredirect",
    requires=(Feature.OBJECT_STORE,),
    builds_on=(
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_whoever_is_redirected_gets_the_blob_there(
    doors: list[Door], findings: Findings, project, new_image, not_applicable
):
    """Whoever is redirected to an object store for a blob gets its bytes there, without a login.

    Source: distribution, storage.redirect. Followed from where the suite runs, as docker and containerd do from where
    they run; the host that is named tells whether it is one that they, too, could not reach.
    """
    content, repository, taker = new_image().layer, f"{project}/redirected", behind(doors)[0]
    digest, hosts = digest_of(content), {}
    with findings.about(taker.object, "takes a blob"):
        taker.registry.push_blob(repository, content)
    if findings.offenders:
        return
    for door in doors:
        with findings.about(door.object, "gives a blob, or says where it is"):
            hosts[door] = door.registry.blob_host(repository, digest)
    if not findings.offenders and not any(hosts.values()):
        not_applicable("blobs come through Harbor: its registry sends nobody to an object store")
    for door, host in hosts.items():
        if host:
            with findings.about(door.object, f"sends clients to {host}, where they get the blob"):
                door.registry.blob(repository, digest)
