"""What projects show to whom."""

from contextlib import suppress
from functools import partial

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target

_REFUSED = (401, 403)
TAG = "access"


@check(
    "access.anonymous-may-pull-public-but-not-push",
    hint="No pull: the token service gives anonymous clients nothing, see "
    "access.token-grants-no-more-than-asked-or-allowed, or the registry trusts no token, see "
    "configuration.registry-trusts-token-key. A push: that registry asks nobody who they are, see "
    "configuration.registry-config-in-effect; mend it at once, anybody can replace images.",
    source="Harbor: public projects; distribution: token authentication",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "registry.redirect-leads-to-the-blob",
        "database.grants-sufficient",
    ),
)
def test_anybody_may_pull_from_a_public_project_and_not_push(
    harbor: Target, findings: Findings, public_project, new_image
):
    """From every replica, anybody pulls an image of a public project, and nobody pushes one anonymously.

    Source: Harbor, public projects. Each replica is asked for what it took itself: that they share their storage
    is for other checks to say.
    """

    def examine(replica: Replica, findings: Findings) -> None:
        image, repository, digest = new_image(), f"{public_project}/{TAG}-{replica.name}", None
        with findings.about(replica.object, f"takes a push of the suite's user to {repository}"):
            digest = harbor.registry(replica).push(image, repository, TAG)
        if digest is None:
            return
        anonymous = harbor.anonymous_registry(replica)
        with findings.about(replica.object, f"gives {repository}@{digest} to anybody") as pull:
            if anonymous.pull(repository, digest) != image:
                pull.wrong("other bytes than were pushed")
        with findings.about(
            replica.object, f"refuses an anonymous push to {repository} (401 or 403)"
        ) as push:
            upload = _require_refused(push, partial(anonymous.begin_upload, repository), _REFUSED)
            # Where it stays, the registry forgets it by itself after a week.
            with suppress(AnswerError):
                if upload is not None:
                    harbor.registry(replica).cancel(upload)

    findings.side_by_side(harbor.registry_api_replicas(), examine)


@check(
    "access.private-project-hidden-from-anonymous",
    hint="Listed, or its tags told: is the project private (Harbor: Projects, Access Level), and does that replica ask "
    "the same database as the others? Pulled without a fitting token: that registry asks nobody who they are, see "
    "configuration.registry-config-in-effect.",
    source="Harbor: private projects; distribution: token authentication",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_private_project_is_hidden_from_whoever_is_no_member(
    harbor: Target, findings: Findings, project, stranger, new_image
):
    """No web replica shows a private project, and no replica gives its images, to anybody but its members.

    Source: Harbor, private projects. (Harbor's HEAD of /projects tells anyone whether a name is taken; that is by
    design.)
    """
    repository = f"{project}/{TAG}"
    # Pushed first: of a repository that is not there yet everybody is told nothing.
    for replica in harbor.registry_api_replicas():
        _examine_images(findings, replica, harbor, new_image(), repository, stranger)

    def examine_lists(replica: Replica, findings: Findings) -> None:
        _examine_lists(findings, replica, harbor, project, repository, stranger)

    findings.side_by_side(harbor.replicas(Role.WEB), examine_lists)


def _examine_lists(findings, replica, harbor, project, repository, stranger):
    """A web replica lists a private project, what is in it and tokens for it to its members only."""
    web, known = harbor.web(replica), None
    with findings.about(replica.object, f"lists {project} to the suite's user") as listing:
        known = web.projects(project, harbor.user).get(project)
        if known is None:
            listing.wrong("it is not listed")
    if known is None:
        return
    for who, credentials in (("nobody", None), ("a stranger", stranger)):
        with findings.about(replica.object, f"does not list {project} to {who}") as listing:
            if project in web.projects(project, credentials):
                listing.wrong("it is listed")
        for what, ask in (
            ("its repositories", partial(web.repositories, known, credentials)),
            ("its tags", partial(web.tags, repository, credentials)),
        ):
            expected = f"does not tell {who} {what} ({project}: 401, 403 or 404)"
            with findings.about(replica.object, expected) as answer:
                _require_refused(answer, ask, (*_REFUSED, 404))
        with findings.about(replica.object, f"its token lets {who} do nothing with {repository}") as token:
            grants = token_service.fetch(web.http, credentials, f"repository:{repository}:pull").grants
            if grants:
                token.wrong(f"it grants {grants}")


def _examine_images(findings, replica, harbor, image, repository, stranger):
    """A replica gives an image of a private project, which it took itself, to members only."""
    member, digest = harbor.registry(replica), None
    with findings.about(replica.object, f"takes a push of the suite's user to {repository}"):
        digest = member.push(image, repository, TAG)
    if digest is None:
        return
    for whose, registry in (
        ("without a token", Registry(member.http)),
        ("with a token for nobody", harbor.anonymous_registry(replica)),
        ("with a stranger's token", harbor.registry(replica, stranger)),
    ):
        # Each by itself: one that is refused must not hide that another is given.
        for what, pull in (("manifest", registry.manifest), ("blob", registry.blob)):
            reference = digest if what == "manifest" else image.layer_digest
            expected = f"refuses {what} {repository}@{reference} {whose} (401 or 403)"
            with findings.about(replica.object, expected) as answer:
                _require_refused(answer, partial(pull, repository, reference), _REFUSED)


def _require_refused(examined, ask, statuses):
    """It is refused with one of these statuses; returns what was given instead, None when it was refused.

    Raises AnswerError for another answer, or none.
    """
    try:
        given = ask()
    except UnexpectedAnswer as answer:
        if answer.status not in statuses:
            raise
        return None
    examined.wrong("it was done")
    return given
