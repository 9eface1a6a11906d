"""What a project's quota counts."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed
from harbor_verify.model.roles import Feature, Role
from harbor_verify.verdict import Offender, judge
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
)
def test_the_quota_counts_what_was_pushed_and_frees_what_was_deleted(harbor, project, new_image, measured):
    """A project's quota grows by the size of what is pushed, shrinks by it when it is deleted, on every web replica.

    Source: Harbor's quotas: the sizes of a project's blobs and manifests, each counted once.
    """
    webs, front, admin = harbor.replicas(Role.WEB), harbor.front_door, harbor.credentials
    image, repository = new_image(_LAYER_BYTES), f"{project}/counted"
    place = f"front door {harbor.access.url}"
    try:
        known = front.projects(project, admin)[project]
        before = front.used_bytes(known, admin)
        harbor.front_registry_for_all(front.http).push(image, repository, "one")
    except (AnswerError, KeyError) as refusal:
        judge([Offender(place, f"tells the quota of {project}, and takes a push", str(refusal))], examined=1)
    blobs = len(image.layer) + len(image.configuration)
    # Whether the manifest itself is counted is Harbor's own business.
    offenders = _not_within(
        harbor, webs, known, range(before + blobs, before + blobs + len(image.manifest) + 1), "pushed", blobs
    )
    measured["counted_bytes"] = blobs
    try:
        front.delete_repository(repository, admin)
    except AnswerError as refusal:
        offenders.append(Offender(place, f"deletes {repository}", str(refusal)))
    else:
        offenders += _not_within(harbor, webs, known, range(before, before + 1), "deleted", blobs)
    judge(offenders, examined=2 * len(webs))


def _not_within(harbor, webs, project, wanted, done, size):
    """An offender for each web replica that tells another use than `wanted` (bytes), for too long."""
    late = {}

    def look():
        late.clear()
        for replica in webs:
            try:
                used = harbor.web(replica).used_bytes(project, harbor.credentials)
            except AnswerError as trouble:
                late[replica.object] = str(trouble)
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
    return [Offender(place, expected, told) for place, told in late.items()]
