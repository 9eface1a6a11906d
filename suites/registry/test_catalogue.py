"""What was pushed is in Harbor's catalogue, and what is deleted there is gone from the registry."""

import time
from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, DeadlinePassed, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.replica_coverage import cross_pairs, rounds_to_meet_each
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_NOT_FOUND = 404
_LISTED_WITHIN_S = 30
"""A notification takes milliseconds; this leaves it some tries."""


@check(
    "registry.repository-appears-in-harbor",
    hint="Nowhere: {listing}. A 500 of one replica's list: that {web} cannot ask the registry; compare its {token_key} "
    "with the others'. Tags that come and go: the replicas do not share the place where tags are kept (the "
    "database, or the storage of the registry).",
    source="Harbor: its catalogue of repositories and tags",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_what_any_replica_took_appears_on_every_web_replica(
    harbor: Target, findings: Findings, project, new_image, measured
):
    """What was pushed to any replica appears, tag and digest, in the catalogue of every web replica.

    Source: Harbor lists what it was told of, maybe some time later; what is not listed is lost for everybody who looks
    for it there. Tags are asked for again and again, as another replica behind may tell them each time.
    """
    takers, webs = harbor.registry_api_replicas(), harbor.replicas(Role.WEB)
    pushed = {}
    for replica in takers:
        image, repository = new_image(), f"{project}/appears-{replica.name}"
        with findings.about(replica.object, "takes the push of a small image"):
            harbor.registry(replica).push(image, repository, "one")
            pushed[repository] = image.digest
    tags = cross_pairs(webs, list(pushed.items()))
    tagged = {(replica.name, repository) for replica, (repository, _) in tags}
    begun_s, within_s = time.monotonic(), _within_s(harbor)

    def all_listed(replica):
        known = _repositories(harbor.web(replica), harbor, project)
        for repository, digest in pushed.items():
            if repository not in known:
                raise NotYet(f"{repository} is not among the project's repositories")
            if (replica.name, repository) in tagged:
                _require_tag(harbor.web(replica), harbor, repository, digest)

    late = _late("what was pushed is listed", all_listed, webs, within_s)
    if not findings.offenders and not late:
        measured["listed_after_ms"] = round((time.monotonic() - begun_s) * 1000)
    expected = f"lists {', '.join(f'{repository}:one' for repository in pushed)} within {within_s:g} s"
    for replica in webs:
        with findings.about(replica.object, expected) as catalogue:
            if replica.name in late:
                catalogue.wrong(late[replica.name])
    pairs = [(replica, pushed_image) for replica, pushed_image in tags if replica.name not in late]
    for replica, (repository, digest) in pairs * _asks_each(harbor.replicas(Role.REGISTRY), pairs):
        expected = f"lists {repository}:one as {digest[:19]} each time it is asked"
        with findings.about(replica.object, expected) as tag:
            try:
                _require_tag(harbor.web(replica), harbor, repository, digest)
            except NotYet as gone:
                tag.wrong(str(gone))


@check(
    "registry.delete-removes",
    hint="Deleting needs `storage.delete.enabled: true` in the registry's config.yml, and a {web} replica that the "
    "registry trusts. If it is gone from some replicas only, they do not share their storage, or cache blob "
    "descriptors in their own memory (`storage.cache`).",
    source="Harbor: deleting an image in its catalogue; distribution: storage.delete, storage.cache",
    builds_on=(
        "registry.repository-appears-in-harbor",
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_what_is_deleted_on_any_web_replica_is_gone_everywhere(
    harbor: Target, findings: Findings, project, new_image
):
    """An image that is deleted on any web replica is gone, for docker clients and from every catalogue.

    Source: Harbor may answer the deletion of a tag that it does not find with 200, so the registry is asked: before,
    so that a 404 afterwards says something, and so that whatever a replica remembers by itself is in its memory.
    """
    webs, registries = harbor.replicas(Role.WEB), harbor.registry_api_replicas()
    images = {}
    for number, replica in enumerate(webs):
        image, taker = new_image(), registries[number % len(registries)]
        with findings.about(taker.object, "takes the push of a small image"):
            harbor.registry(taker).push(image, _repository(project, replica), "one")
            images[replica.name] = image.digest
    deleters = [replica for replica in webs if replica.name in images]
    for replica, giver in cross_pairs(deleters, registries):
        repository = _repository(project, replica)
        with findings.about(giver.object, f"gives {repository}:one before it is deleted"):
            harbor.registry(giver).manifest(repository, images[replica.name])

    def its_own_is_listed(replica):
        if _repository(project, replica) not in _repositories(harbor.web(replica), harbor, project):
            raise NotYet("it is not among the project's repositories")

    deleted = []
    late = _late("what is to be deleted is listed", its_own_is_listed, deleters, _within_s(harbor))
    for replica in deleters:
        repository = _repository(project, replica)
        if replica.name in late:
            findings.wrong(replica.object, f"lists {repository}, to delete it", late[replica.name])
            continue
        with findings.about(replica.object, f"deletes {repository}:one"):
            harbor.web(replica).delete_tag(repository, "one", harbor.user)
            deleted.append(replica)

    def require_gone(pair: tuple[Replica, Replica], findings: Findings) -> None:
        replica, registry = pair
        if replica.name not in {each.name for each in deleted}:
            return
        with findings.about(registry.object, f"404 for what {replica.name} has deleted") as manifest:
            try:
                harbor.registry(registry).manifest(_repository(project, replica), images[replica.name])
            except UnexpectedAnswer as answer:
                if answer.status != _NOT_FOUND:
                    raise
            else:
                manifest.wrong("it is still there")

    findings.side_by_side(cross_pairs(deleters, registries), require_gone)
    asked = [replica for replica in webs if replica.name not in late]
    _examine_catalogues(findings, harbor, project, asked, [_repository(project, each) for each in deleted])


def _examine_catalogues(findings, harbor, project, webs, deleted):
    """No catalogue of `webs` has a tag, or a repository, that was deleted, for too long."""
    tags = {(replica.name, repository) for replica, repository in cross_pairs(webs, deleted)}

    def none_is_listed(replica):
        web = harbor.web(replica)
        known = _repositories(web, harbor, project)
        for repository in deleted:
            if (replica.name, repository) in tags and (left := _tags(web, harbor, repository)):
                raise NotYet(f"{repository} has tag {', '.join(left)}")
            if repository in known:
                raise NotYet(f"{repository} is listed")

    within_s = _within_s(harbor)
    late = _late("what was deleted is gone", none_is_listed, webs if deleted else [], within_s)
    expected = f"does not list {', '.join(deleted)} {within_s:g} s after its only tag was deleted"
    for replica in webs:
        with findings.about(replica.object, expected) as catalogue:
            if replica.name in late:
                catalogue.wrong(late[replica.name])


def _late(what, probe, replicas, timeout_s):
    """By name those of `replicas` for which the probe has not come true in time, and what was seen last.

    They have one deadline together: one that is broken does not keep the check waiting once for each thing.
    """
    left = {replica.name: (replica, "") for replica in replicas}

    def look():
        for replica, _ in list(left.values()):
            try:
                probe(replica)
            except (NotYet, AnswerError) as why:
                left[replica.name] = (replica, str(why))
            else:
                del left[replica.name]
        if left:
            raise NotYet("; ".join(last_seen for _, last_seen in left.values()))

    with suppress(DeadlinePassed):
        wait_until(what, look, deadline="Harbor's own notifications", timeout_s=timeout_s, interval_s=0.05)
    return {name: last_seen for name, (_, last_seen) in left.items()}


def _within_s(harbor):
    return min(harbor.settings.converge_timeout_s, _LISTED_WITHIN_S)


def _asks_each(registries, pairs):
    """How often to ask each of `pairs` so that together they have met every registry replica."""
    return -(-rounds_to_meet_each(len(registries)) // len(pairs)) if pairs else 0


def _repository(project, replica):
    """The repository whose images are deleted on this web replica."""
    return f"{project}/deleted-{replica.name}"


def _repositories(web, harbor, project):
    known = web.projects(project, harbor.user)
    if project not in known:
        raise NotYet(f"it does not know project {project}")
    return web.repositories(known[project], harbor.user)


def _tags(web, harbor, repository):
    """Its tags; none where the whole repository is gone. Raises AnswerError."""
    try:
        return web.tags(repository, harbor.user)
    except UnexpectedAnswer as answer:
        if answer.status != _NOT_FOUND:
            raise
        return {}


def _require_tag(web, harbor, repository, digest):
    """Raises NotYet unless the repository has its tag, and it leads to this digest; AnswerError."""
    tags = _tags(web, harbor, repository)
    if tags.get("one") != digest:
        raise NotYet(f"the tags of {repository} are {tags or 'none'}")
