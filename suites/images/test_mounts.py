"""Blobs that are in another repository already: they need not be sent again, and are handed to nobody else."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.image import digest_of
from harbor_verify.doors import Door, with_next
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Standing
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target

_REFUSED = {401, 403, 404}


@check(
    "images.mount-across-repositories",
    hint="An upload (202) in place of a mount: the query `mount=…&from=…` does not arrive, look at rewrites "
    "of the front door; on some replicas only: they do not share their storage. Clients then send every "
    "base layer again. A 201 and no bytes: a cache of blob descriptors (`storage.cache`) knows more than "
    "the storage holds.",
    source="OCI distribution specification: mounting a blob from another repository",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_blob_is_mounted_from_another_repository(doors: list[Door], findings: Findings, project, new_image):
    """A blob that one repository has is mounted into another without an upload; one that is nowhere has to be sent.

    Source: OCI distribution specification: 201 when mounted, else 202, and the upload that has begun goes on. A client
    that does not say from where (an anonymous mount) may be answered in either way.
    """

    def examine(each: tuple[Door, Door], findings: Findings) -> None:
        taker, other = each
        content, absent = new_image().layer, new_image().layer
        source, target = f"{project}/mount-from-{taker.name}", f"{project}/mount-into-{taker.name}"
        is_there = False
        with findings.about(taker.object, "takes the blob that is to be mounted"):
            taker.registry.push_blob(source, content)
            is_there = True
        if not is_there:
            return
        expected = f"mounts a blob that {taker.name} took from one repository into another (201)"
        with findings.about(other.object, expected) as mounted:
            upload = registry_asks.mount(other.registry, target, digest_of(content), source)
            if upload is not None:
                other.registry.cancel(upload)
                mounted.wrong("an upload has begun in its place (202)")
            elif taker.registry.blob(target, digest_of(content)) != content:
                mounted.wrong("the mounted blob has other bytes")
        with findings.about(
            other.object, "asks for the upload of a blob that is not there to mount (202)"
        ) as sent:
            upload = registry_asks.mount(other.registry, target, digest_of(absent), source)
            if upload is None:
                sent.wrong("it says that it has mounted what nobody has pushed (201)")
            else:
                registry_asks.push_whole(other.registry, upload, absent)
                taker.registry.blob(target, digest_of(absent))
        nameless = f"{target}-from-anywhere"
        expected = (
            f"mounts a blob that {taker.name} took without being told from where (201), or has it sent (202)"
        )
        with findings.about(other.object, expected) as anywhere:
            upload = registry_asks.mount(other.registry, nameless, digest_of(content))
            if upload is not None:
                registry_asks.push_whole(other.registry, upload, content)
            if taker.registry.blob(nameless, digest_of(content)) != content:
                anywhere.wrong("the blob has other bytes")

    findings.side_by_side(with_next(doors), examine)


@check(
    "images.mount-needs-pull-right",
    hint="Who knows a digest gets a private layer into a repository of his own: mend it before anything "
    "else. Tokens must name the repository that is mounted from; see "
    "access.token-grants-no-more-than-asked-or-allowed, and whether that registry asks for tokens at all "
    "(configuration.registry-config-in-effect).",
    source="distribution: token authentication, mount needs pull on `from`; Harbor: private projects",
    builds_on=(
        "access.private-project-hidden-from-anonymous",
        "access.token-grants-no-more-than-asked-or-allowed",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_mount_hands_no_private_blob_over(
    harbor: Target, findings: Findings, project, public_project, new_user, new_image
):
    """Who may not pull from a private project gets none of its blobs by mounting them into a project of his own.

    Source: distribution: a mount is a pull from the other repository. The account is a developer of the other
    project, where it pushes; that its mount is refused, or answered with an upload, is not enough: the blob
    must not be there. It is asked for by its place, and from wherever it may be (an anonymous mount).
    """
    developer = new_user()
    front, admin = harbor.front_door, harbor.credentials
    with findings.about(f"project {public_project}", f"takes {developer.user} as a developer"):
        number = harbor.profile.member_roles[Standing.DEVELOPER]
        front.add_member(front.projects(public_project, admin)[public_project], developer.user, number, admin)

    def examine(replica: Replica, findings: Findings) -> None:
        content, source = new_image().layer, f"{project}/mount-private"
        digest, target = digest_of(content), f"{public_project}/mount-{replica.name}"
        own, are_there = harbor.registry(replica, developer), False
        with findings.about(
            replica.object, "takes a private blob of the administrator's, and a developer's own"
        ):
            harbor.registry(replica).push_blob(source, content)
            own.push_blob(target, new_image().layer)
            are_there = True
        if not are_there:
            return
        expected = f"hands no blob of {source} to who may not pull it (a mount is no 201)"
        with findings.about(replica.object, expected) as mounted:
            with suppress(AnswerError):
                own.blob(source, digest)
                mounted.wrong("gives the private blob itself, without a mount")
                return
            for named in (source, ""):
                try:
                    upload = registry_asks.mount(own, target, digest, named)
                except UnexpectedAnswer as answer:
                    if answer.status not in _REFUSED:
                        raise
                else:
                    if upload is None:
                        mounted.wrong(
                            f"it was mounted (201){'' if named else ', without a name to mount it from'}"
                        )
                        break
                    # Some registries want more for a DELETE than the right to push, and the developer has no more.
                    harbor.registry(replica).cancel(upload)
        with findings.about(replica.object, f"{target} is without the private blob afterwards (404)") as blob:
            try:
                own.blob(target, digest)
            except UnexpectedAnswer as answer:
                if answer.status not in _REFUSED:
                    raise
            else:
                blob.wrong("it gives the blob")

    findings.side_by_side(harbor.registry_api_replicas() if not findings.offenders else (), examine)
