"""What projects show to whom."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.clients import token_service
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge

_REFUSED = (401, 403)
TAG = "access"


@check(
    "access.anonymous-may-pull-public-but-not-push",
    hint="No pull: the token service gives anonymous clients nothing, see "
    "access.token-grants-no-more-than-asked-or-allowed, or the registry trusts no token, see "
    "configuration.registry-trusts-token-key. A push: that registry asks nobody who they are, see "
    "configuration.registry-config-in-effect; mend it at once, anybody can replace images.",
    source="Harbor: public projects; distribution: token authentication",
)
def test_anybody_may_pull_from_a_public_project_and_not_push(harbor, public_project, new_image):
    """From every replica, anybody pulls an image of a public project, and nobody pushes one anonymously.

    Source: Harbor, public projects. Each replica is asked for what it took itself: that they share their storage
    is for other checks to say.
    """
    image, repository = new_image(), f"{public_project}/{TAG}"
    replicas = harbor.registry_api_replicas()
    offenders = []
    for replica in replicas:
        try:
            digest = harbor.registry(replica).push(image, repository, TAG)
        except AnswerError as refusal:
            expected = f"takes a push of {harbor.credentials.user} to {repository}"
            offenders.append(Offender(replica.object, expected, str(refusal)))
            continue
        anonymous = harbor.anonymous_registry(replica)
        expected = f"gives {repository}@{digest} to anybody"
        try:
            if anonymous.pull(repository, digest) != image:
                offenders.append(Offender(replica.object, expected, "other bytes than were pushed"))
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, expected, str(refusal)))
        offenders += _begun(replica.object, anonymous, harbor.registry(replica), repository)
    judge(offenders, examined=len(replicas))


@check(
    "access.private-project-hidden-from-anonymous",
    hint="Listed, or its tags told: is the project private (Harbor: Projects, Access Level), and does that replica ask "
    "the same database as the others? Pulled without a fitting token: that registry asks nobody who they are, see "
    "configuration.registry-config-in-effect.",
    source="Harbor: private projects; distribution: token authentication",
)
def test_a_private_project_is_hidden_from_whoever_is_no_member(harbor, project, stranger, new_image):
    """No web replica shows a private project, and no replica gives its images, to anybody but its members.

    Source: Harbor, private projects. (That one of a name exists, a HEAD of the list may tell anybody.)
    """
    repository = f"{project}/{TAG}"
    webs, registries = harbor.replicas(Role.WEB), harbor.registry_api_replicas()
    offenders = []
    # Pushed first: of a repository that is not there yet everybody is told nothing.
    for replica in registries:
        offenders += _given(replica, harbor, new_image(), repository, stranger)
    for replica in webs:
        offenders += _shown(replica, harbor, project, repository, stranger)
    judge(offenders, examined=len(webs) + len(registries))


def _begun(place, anonymous, member, repository):
    """An offender when an anonymous push is begun; `member` then takes it back."""
    expected = f"refuses an anonymous push to {repository} (401 or 403)"
    uploads = []
    offenders = _not_refused(
        place, expected, lambda: uploads.append(anonymous.begin_upload(repository)), _REFUSED
    )
    # Where it stays, the registry forgets it by itself after a week.
    with suppress(AnswerError):
        for upload in uploads:
            member.cancel(upload)
    return offenders


def _shown(replica, harbor, project, repository, stranger):
    """What a web replica shows of a private project."""
    web = harbor.web(replica)
    try:
        known = web.projects(project, harbor.credentials).get(project)
    except AnswerError as refusal:
        return [Offender(replica.object, f"lists {project} to {harbor.credentials.user}", str(refusal))]
    if known is None:
        expected = f"lists {project} to {harbor.credentials.user}"
        return [Offender(replica.object, expected, "it is not listed")]
    offenders = []
    for who, credentials in (("nobody", None), ("a stranger", stranger)):
        expected = f"does not list {project} to {who}"
        try:
            if project in web.projects(project, credentials):
                offenders.append(Offender(replica.object, expected, "it is listed"))
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, expected, str(refusal)))
        for what, ask in (
            ("its repositories", lambda credentials=credentials: web.repositories(known, credentials)),
            ("its tags", lambda credentials=credentials: web.tags(repository, credentials)),
        ):
            expected = f"does not tell {who} {what} ({project}: 401, 403 or 404)"
            offenders += _not_refused(replica.object, expected, ask, (*_REFUSED, 404))
        expected = f"its token lets {who} do nothing with {repository}"
        try:
            grants = token_service.fetch(web.http, credentials, f"repository:{repository}:pull").grants
            if grants:
                offenders.append(Offender(replica.object, expected, f"it grants {grants}"))
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, expected, str(refusal)))
    return offenders


def _given(replica, harbor, image, repository, stranger):
    """Whom a replica gives an image of a private project, which it took itself."""
    member = harbor.registry(replica)
    try:
        digest = member.push(image, repository, TAG)
    except AnswerError as refusal:
        expected = f"takes a push of {harbor.credentials.user} to {repository}"
        return [Offender(replica.object, expected, str(refusal))]
    offenders = []
    for whose, registry in (
        ("without a token", Registry(member.http)),
        ("with a token for nobody", harbor.anonymous_registry(replica)),
        ("with a stranger's token", harbor.registry(replica, stranger)),
    ):
        # Each by itself: one that is refused must not hide that another is given.
        for what, pull in (("manifest", registry.manifest), ("blob", registry.blob)):
            reference = digest if what == "manifest" else image.layer_digest
            expected = f"refuses {what} {repository}@{reference} {whose} (401 or 403)"
            offenders += _not_refused(
                replica.object,
                expected,
                lambda pull=pull, reference=reference: pull(repository, reference),
                _REFUSED,
            )
    return offenders


def _not_refused(place, expected, ask, statuses):
    """An offender when what must be refused, with one of these statuses, is not."""
    try:
        ask()
    except UnexpectedAnswer as refusal:
        return [] if refusal.status in statuses else [Offender(place, expected, str(refusal))]
    except AnswerError as trouble:
        return [Offender(place, expected, str(trouble))]
    return [Offender(place, expected, "it was done")]
