"""Proxy caches: whether what they have is given, while its registry is away above all."""

import json
from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.clients.harbor import Project
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target

_IMAGES_EACH = 2
_MOST_TRIED_EACH = 10
"""So many are tried where a project withholds images."""
_MOST_PROJECTS = 12
_MOST_BYTES = 64 * 2**20
_BY_POLICY = 412
"""What Harbor says of an image that its project keeps back; to everybody, administrators too."""


@check(
    "replication.proxy-caches-serve",
    hint="What is cached is given without the registry that it came from: by digest, and by tag while that registry "
    "is down (not: answers 404). Missing though it is listed: `harbor-verify audit` says what else is gone; "
    "delete the artifact, and the next pull fetches it anew, once the registry is back. An error of Harbor's own: the "
    "log of the {web}.",
    source="Harbor: proxy cache; by digest the cache is used without asking",
    requires=(Feature.REPLICATION,),
    builds_on=("registry.pushed-on-one-pulled-on-every", "registry.redirect-leads-to-the-blob"),
)
def test_images_that_a_proxy_cache_has_are_given(
    harbor: Target, findings: Findings, not_applicable, measured, tell
):
    """Images that a proxy cache has are given whole, whether their registry can be reached or not.

    Source: Harbor, proxy cache. The images changed last of up to twelve projects, by digest at the front door, and of
    each the layers up to 64 MiB; where the registry is said to be away, the report says so. What the project's own
    policy withholds (412: not scanned, vulnerable, not signed) is passed over, and another image is tried.
    """
    caches: list[Project] = []
    away: dict[int, str] = {}
    front, credentials = harbor.front_door, harbor.credentials
    with findings.about(f"front door {harbor.url}", "lists projects"):
        caches = [each for each in front.projects("", credentials).values() if each.upstream_id]
    if not caches:
        if not findings.offenders:
            not_applicable("no project is a proxy cache")
        return
    with suppress(AnswerError):  # replication.endpoints-reachable tells it
        away = {each.id: each.name for each in front.endpoints(credentials) if each.status != "healthy"}
    looked_at = without = 0
    withheld: list[str] = []
    registry = harbor.front_registry(credentials)
    for project in sorted(caches, key=lambda each: (each.upstream_id not in away, each.name))[
        :_MOST_PROJECTS
    ]:
        state = f", while {away[project.upstream_id]} is away" if project.upstream_id in away else ""
        given, refusals = _look_at(harbor, findings, registry, project, state)
        looked_at += given
        without += given if state else 0
        withheld += refusals
    measured.update(
        cached_images_looked_at_count=looked_at,
        read_without_their_registry_count=without,
        withheld_images_count=len(withheld),
    )
    if withheld:
        tell(f"{len(withheld)} cached images are withheld by their project's policy: {withheld[0]}")
    if not looked_at and not findings.offenders:
        not_applicable(
            f"all {len(withheld)} cached images that were tried are withheld by their project's policy, the first: "
            f"{withheld[0]}"
            if withheld
            else "the proxy caches have no image yet"
        )


class _Withheld(Exception):
    """The project's own policy keeps an image back, from everybody."""


def _look_at(
    harbor: Target, findings: Findings, registry: Registry, project: Project, state: str
) -> tuple[int, list[str]]:
    """(how many images of a proxy cache were looked at, what was said of each that is withheld)"""
    looked_at = 0
    withheld: list[str] = []
    tried: set[tuple[str, str]] = set()
    for most in (_IMAGES_EACH, _MOST_TRIED_EACH):
        images: list[tuple[str, str]] = []
        with findings.about(f"project {project.name}", "lists what it has"):
            images = harbor.front_door.some_images(project, harbor.credentials, most=most)
        for repository, digest in images:
            if (repository, digest) in tried or looked_at == _IMAGES_EACH:
                continue
            tried.add((repository, digest))
            with findings.about(f"image {repository}@{digest}", f"is given from the cache{state}"):
                looked_at += 1
                try:
                    _read(registry, repository, digest)
                except _Withheld as policy:
                    looked_at -= 1
                    withheld.append(str(policy))
        if not withheld:
            break
    return looked_at, withheld


def _read(registry: Registry, repository: str, digest: str) -> None:
    """All of it; of an index the first image. Raises AnswerError, _Withheld."""
    try:
        manifest, _ = registry.manifest(repository, digest)
    except UnexpectedAnswer as refused:
        if refused.status == _BY_POLICY:
            raise _Withheld(str(refused)) from refused
        raise
    parts = json.loads(manifest)
    if images := parts.get("manifests"):
        _read(registry, repository, images[0]["digest"])
        return
    left = _MOST_BYTES
    for blob in [parts.get("config"), *parts.get("layers", ())]:
        if blob and blob.get("size", 0) <= left:
            left -= blob["size"]
            registry.blob(repository, blob["digest"])
