"""What the restored Harbor has of the pushes, read through its front door as a docker client would."""

from collections.abc import Iterable, Iterator

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry
from harbor_verify.drill.judgement import Became, Found
from harbor_verify.drill.pushes import Push
from harbor_verify.errors import AnswerError, NoAnswer, UnexpectedAnswer

_NOT_FOUND = 404


def compare(pushes: Iterable[Push], registry: Registry, known: frozenset[str]) -> Iterator[Found]:
    """Each push with what became of it; `known`: digests that the restored Harbor itself shows."""
    for push in pushes:
        became, observed = _became(push, registry)
        if became is Became.ABSENT and push.digest in known:
            became = Became.BROKEN
        yield Found(push, became, observed)


def known_digests(front_door: Harbor, repository: str, credentials: Credentials) -> frozenset[str]:
    """What Harbor itself shows of a repository; none where it shows no such. Raises AnswerError."""
    try:
        return frozenset(front_door.tags(repository, credentials).values())
    except UnexpectedAnswer as refused:
        if refused.status == _NOT_FOUND:
            return frozenset()
        raise


def _became(push: Push, registry: Registry) -> tuple[Became, str]:
    try:
        manifest, _ = registry.manifest(push.repository, push.digest)
    except NoAnswer as silent:
        return Became.UNKNOWN, str(silent)
    except UnexpectedAnswer as refused:
        return (Became.ABSENT if refused.status == _NOT_FOUND else Became.UNKNOWN), str(refused)
    except AnswerError as wrong:
        return Became.BROKEN, str(wrong)
    image = Image.parse(manifest)
    try:
        for digest in (image.configuration_digest, image.layer_digest):
            registry.blob(push.repository, digest)
    except NoAnswer as silent:
        return Became.UNKNOWN, str(silent)
    except AnswerError as wrong:
        return Became.BROKEN, str(wrong)
    return Became.WHOLE, ""
