"""Images that were there before this run: whether the registry still has all that they are made of."""

import json
from collections.abc import Sequence
from contextlib import closing

import requests

from harbor_verify import cleanup
from harbor_verify.checks import check
from harbor_verify.clients.registry_asks import received
from harbor_verify.errors import AnswerError, NoAnswer, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_MOST_PROJECTS = 12
_REPOSITORIES_EACH = 2
_FOREIGN = ("foreign", "nondistributable")
"""Layers that come from elsewhere."""


@check(
    "registry.existing-images-whole",
    hint="HEAD says that a layer is there, GET does not give it: the registry's cache (its Redis) vouches for what a "
    "garbage collection deleted that was stopped half way. Pushes then skip the layer, and the image can never be "
    "pulled: empty that database of the Redis (the chart: redis.registryDatabaseIndex), then push the image again. "
    "Neither finds it: the storage has lost it (another bucket, another volume, an earlier backup), push the image "
    "again.",
    source="distribution: blob descriptor cache; report 4269 of distribution/distribution, 19988 and 22571 of "
    "goharbor/harbor",
    builds_on=("registry.pushed-on-one-pulled-on-every", "registry.redirect-leads-to-the-blob"),
)
def test_images_that_are_there_have_all_their_layers(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """Of a sample of the images that are there, the registry gives every layer that it says it has.

    Source: HEAD and GET (its first byte) of each layer, through the front door. Images of two repositories of up to
    twelve projects, those that were changed last; none of this suite's own, and none of a proxy cache's.
    """
    images: list[tuple[str, str]] = []
    with findings.about(f"front door {harbor.url}", "lists projects and what is in them"):
        images = _sample(harbor)
    if not images and not findings.offenders:
        not_applicable("no image is there yet, but for this suite's own")
    measured["images_looked_at_count"] = len(images)
    registry = harbor.front_registry_for_all(harbor.front_door.http)
    for repository, reference in images:
        expected = "the registry gives its manifest and each of its layers"
        with findings.about(f"image {repository}@{reference}", expected) as image:
            for digest in _blobs_of(registry, repository, reference):
                wrong = _wrong_with(registry, repository, digest)
                if wrong and _is_still_there(registry, repository, reference):
                    image.wrong(wrong)


def _sample(harbor: Target) -> list[tuple[str, str]]:
    """(repository, tag or digest) of images, of projects that are spread over their names."""
    front, credentials = harbor.front_door, harbor.credentials
    own = set(cleanup.leftovers(harbor))
    projects = [
        project
        for name, project in sorted(front.projects("", credentials).items())
        if name not in own and not project.is_proxy
    ]
    step = max(1, -(-len(projects) // _MOST_PROJECTS))
    return [
        image
        for project in projects[::step]
        for image in front.some_images(project, credentials, most=_REPOSITORIES_EACH)
    ]


def _blobs_of(registry, repository: str, reference: str) -> Sequence[str]:
    """Digests of the configuration and the layers; of an index those of its first image."""
    manifest = json.loads(registry.manifest(repository, reference)[0])
    if manifest.get("manifests"):
        manifest = json.loads(registry.manifest(repository, manifest["manifests"][0]["digest"])[0])
    parts = [manifest.get("config") or {}, *(manifest.get("layers") or ())]
    return [
        part["digest"]
        for part in parts
        if "digest" in part and not any(word in part.get("mediaType", "") for word in _FOREIGN)
    ]


def _wrong_with(registry, repository: str, digest: str) -> str:
    """What is wrong with a layer, in words; empty where it is there."""
    head = registry.ask_blob("HEAD", repository, digest)
    got = registry.ask_blob("GET", repository, digest, stream=True, Range="bytes=0-0")
    with closing(got):
        refusal = _refusal(got)
    if not refusal:
        return ""
    if head.status_code == 200:
        return f"HEAD says that layer {digest} is there, and GET does not give it ({refusal})"
    return f"layer {digest} is not there ({refusal})"


def _refusal(got: requests.Response) -> str:
    """Why nothing of a layer comes; empty where it does.

    The status proves nothing: a registry whose cache vouches for the layer says 206 before it opens the file.
    """
    if got.status_code not in (200, 206):
        return str(got.status_code)
    try:
        came = next(received(got), b"")
    except NoAnswer as broken:
        return str(broken)
    return "" if came or got.headers.get("Content-Length") == "0" else f"{got.status_code}, and not a byte"


def _is_still_there(registry, repository: str, reference: str) -> bool:
    """Somebody may have deleted the image meanwhile."""
    try:
        registry.manifest(repository, reference)
    except UnexpectedAnswer as refused:
        return refused.status != 404
    except AnswerError:
        pass
    return True
