"""Another Harbor's registry uses the same database of the same Redis, and vouches for layers that only it has."""

from lab.defects import Defect, Lab, left_images

_REPOSITORY = "theirs/application"
_DIGEST = left_images.digest_of(b"a layer that only the other Harbor has")


def _vouch(lab: Lab) -> None:
    left_images.forget_all()
    words = ("digest", _DIGEST, "size", "38", "mediatype", "application/octet-stream")
    left_images.in_cache("HSET", f"blobs::{_DIGEST}", *words)
    left_images.in_cache("SADD", f"repository::{_REPOSITORY}::blobs", _DIGEST)
    left_images.in_cache("HSET", f"repository::{_REPOSITORY}::blobs::{_DIGEST}", *words[4:])


def _forget(lab: Lab) -> None:
    left_images.forget(_DIGEST, _REPOSITORY)
    left_images.in_cache("DEL", f"repository::{_REPOSITORY}::blobs")


DEFECT = Defect(
    report="two releases of the chart with one external Redis and the default database indices",
    shows="nothing, until somebody pushes a layer that the other Harbor has, too: then it is never stored here",
    turns_red=frozenset({"integrity.redis-vouches-for-what-is-there"}),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_vouch,
    heal_outside=_forget,
)
