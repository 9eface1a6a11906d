"""What a project's quota counts."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_LAYER_BYTES = 256 * 1024
_WITHIN_S = 60
"""With the quota's own cache in Redis (a setting of Harbor's) the database follows within half a minute."""


@check(
    "registry.quota-follows-pushes",
    hint="Too little, or nothing: pushes went past Harbor, or the {web} replica that took them could not write the "
    "database; its log says so. Another figure on each replica: they do not ask the same database. Not freed: what "
    "is deleted is still counted, and a project with a limit fills up. A wrong figure stays until it is counted "
    "anew.",
    source="Harbor: storage quotas",
    requires=(Feature.QUOTAS,),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_the_quota_counts_what_was_pushed_and_frees_what_was_deleted(
    harbor: Target, findings: Findings, project, new_image, measured, not_applicable
):
    """A project's quota grows by the size of what is pushed, shrinks by it when it is deleted, on every web replica.

    Source: Harbor's quotas: the sizes of a project's blobs and manifests, each counted once.
    """
    webs, front, admin = harbor.replicas(Role.WEB), harbor.front_door, harbor.credentials
    if not front.keeps_quotas(admin):
        not_applicable("storage quotas are switched off (quota_per_project_enable)")
    image, repository = new_image(_LAYER_BYTES), f"{project}/counted"
    place, before = f"front door {harbor.access.url}", None
    with findings.about(place, f"tells the quota of {project}, and takes a push") as push:
        known = front.projects(project, admin).get(project)
        if known is None:
            push.wrong(f"it does not know project {project}")
        else:
            used = front.used_bytes(known, admin)
            harbor.front_registry_for_all(front.http).push(image, repository, "one")
            before = used
    if before is None:
        return
    blobs = len(image.layer) + len(image.configuration)
    # Whether the manifest itself is counted is Harbor's own business.
    counted = range(before + blobs, before + blobs + len(image.manifest) + 1)
    _examine_use(findings, harbor, webs, known, counted, "pushed", blobs)
    measured["counted_bytes"] = blobs
    deleted = False
    with findings.about(place, f"deletes {repository}"):
        front.delete_repository(repository, admin)
        deleted = True
    if deleted:
        _examine_use(findings, harbor, webs, known, range(before, before + 1), "deleted", blobs)


def _examine_use(findings, harbor, webs, project, wanted, done, size):
    """Every web replica tells a use that is among `wanted` (bytes) before long."""
    late = {}

    def look():
        late.clear()
        for replica in webs:
            try:
                used = harbor.web(replica).used_bytes(project, harbor.user)
            except AnswerError as error:
                late[replica.object] = str(error)
                continue
            if used not in wanted:
                late[replica.object] = f"{used} bytes"
        if late:
            raise NotYet("; ".join(late.values()))

    within_s = min(harbor.settings.converge_timeout_s, _WITHIN_S)
    with suppress(DeadlinePassed):
        wait_until(f"what was {done} is counted", look, deadline="Harbor's own counting", timeout_s=within_s)
    bounds = f"{wanted.start}" if len(wanted) == 1 else f"{wanted.start} to {wanted.stop - 1}"
    expected = f"{bounds} bytes used, after {size} bytes were {done}, within {within_s:g} s"
    for replica in webs:
        with findings.about(replica.object, expected) as use:
            if replica.object in late:
                use.wrong(late[replica.object])
