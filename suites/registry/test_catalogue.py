"""What was pushed is in Harbor's catalogue, and what is deleted there is gone from the registry."""

import time

from fixtures.checks import check
from fixtures.errors import AnswerError, DeadlinePassed, UnexpectedAnswer
from fixtures.model.roles import Role
from fixtures.verdict import Offender, expecting, judge
from fixtures.waiting import NotYet, wait_until

_LISTED_WITHIN_S = 20
"""A notification takes milliseconds; this leaves it some tries."""


@check(
    "registry.repository-appears-in-harbor",
    hint="The registry tells the web replicas of each push: `notifications.endpoints` in its config.yml must name "
    "their Service (http://ui/service/notifications), and the registry's log says what became of it. A 500 of one "
    "replica's list: that replica cannot ask the registry; compare its token key with the others'.",
    source="Harbor 1.2: POST /service/notifications, GET /api/repositories, GET /api/repositories/{name}/tags",
)
def test_what_any_registry_replica_took_appears_on_every_web_replica(harbor, project, new_image, measured):
    """What was pushed to any registry replica appears, tag and digest, in the catalogue of every web replica.

    Source: Harbor 1.2 lists what the registry tells it of, some time later; a lost notification is a lost image for
    everybody who looks for it there.
    """
    offenders, pushed = [], {}
    for replica in harbor.replicas(Role.REGISTRY):
        image, repository = new_image(), f"{project}/appears-{replica.name}"
        with expecting(offenders, replica.object, "takes the push of a small image"):
            harbor.registry(replica).push(image, repository, "one")
            pushed[repository] = image.digest
    begun_s = time.monotonic()
    webs = harbor.replicas(Role.WEB)
    for replica in webs:
        for repository, digest in pushed.items():
            expected = f"lists {repository}:one as {digest[:19]} within {_LISTED_WITHIN_S} s"
            left_s = max(0.5, begun_s + _LISTED_WITHIN_S - time.monotonic())
            try:
                _wait_for_tag(harbor.web(replica), harbor, project, repository, digest, left_s)
            except DeadlinePassed as late:
                offenders.append(Offender(replica.object, expected, str(late)))
    if not offenders:
        measured["listed_after_ms"] = round((time.monotonic() - begun_s) * 1000)
    judge(offenders, examined=len(webs) * len(pushed))


@check(
    "registry.delete-removes",
    hint="Deleting needs `storage.delete.enabled: true` in the registry's config.yml, and a web replica that the "
    "registry trusts. If it is gone from some replicas only, they do not share their storage, or cache blob "
    "descriptors in their own memory (`storage.cache`).",
    source="Harbor 1.2: DELETE /api/repositories/{name}/tags/{tag}; distribution: storage.delete, storage.cache",
)
def test_what_is_deleted_on_any_web_replica_is_gone_everywhere(harbor, project, new_image):
    """An image that is deleted on any web replica is gone from every registry replica and every catalogue.

    Source: Harbor 1.2 answers the deletion of a tag that it does not find with 200, so the registry is asked.
    """
    webs, registries = harbor.replicas(Role.WEB), harbor.replicas(Role.REGISTRY)
    offenders = []
    for number, replica in enumerate(webs):
        taker, web = registries[number % len(registries)], harbor.web(replica)
        image, repository = new_image(), f"{project}/deleted-{replica.name}"
        begun = len(offenders)
        with expecting(offenders, taker.object, "takes the push of a small image"):
            harbor.registry(taker).push(image, repository, "one")
        try:
            with expecting(offenders, replica.object, f"deletes {repository}:one"):
                _wait_for_row(web, harbor, project, repository, present=True)
                web.delete_tag(repository, "one", harbor.credentials)
        except DeadlinePassed as late:
            offenders.append(Offender(replica.object, f"lists {repository}, to delete it", str(late)))
        if len(offenders) > begun:
            continue
        for registry in registries:
            seen = _still_there(harbor.registry(registry), repository, image.digest)
            if seen:
                offenders.append(Offender(registry.object, f"404 for what {replica.name} has deleted", seen))
        for other in webs:
            try:
                _wait_for_row(harbor.web(other), harbor, project, repository, present=False)
            except DeadlinePassed as late:
                expected = f"does not list {repository}, whose only tag {replica.name} has deleted"
                offenders.append(Offender(other.object, expected, str(late)))
    judge(offenders, examined=len(webs) * len(registries))


def _wait_for_tag(web, harbor, project, repository, digest, timeout_s):
    def listed():
        if repository not in _repositories(web, harbor, project):
            raise NotYet("it is not among the project's repositories")
        tags = web.tags(repository, harbor.credentials)
        if tags.get("one") != digest:
            raise NotYet(f"its tags are {tags or 'none'}")

    _wait(f"{repository} is listed", listed, timeout_s)


def _wait_for_row(web, harbor, project, repository, *, present):
    def as_it_should():
        if (repository in _repositories(web, harbor, project)) is not present:
            raise NotYet("it is listed" if not present else "it is not among the project's repositories")

    _wait(f"{repository} is {'listed' if present else 'gone'}", as_it_should, _LISTED_WITHIN_S)


def _wait(what, probe, timeout_s):
    wait_until(
        what,
        probe,
        deadline="Harbor's own notifications",
        timeout_s=timeout_s,
        interval_s=0.05,
        retry_on=(AnswerError,),
    )


def _repositories(web, harbor, project):
    project_id = web.projects(project, harbor.credentials)[project]
    return web.repositories(project_id, harbor.credentials)


def _still_there(registry, repository, digest):
    """What came instead of a 404; empty when it is gone."""
    try:
        registry.manifest(repository, digest)
    except UnexpectedAnswer as refusal:
        return "" if refusal.status == 404 else str(refusal)
    except AnswerError as trouble:
        return str(trouble)
    return "it is still there"
