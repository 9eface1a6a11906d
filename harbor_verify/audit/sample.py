"""The bounded part of an audit that a run of the suite makes."""

from dataclasses import dataclass

from harbor_verify.audit import harbor
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.walk import Stopped, Walk
from harbor_verify.errors import CannotTell
from harbor_verify.model.contents import Known
from harbor_verify.target import Target

_REQUESTS_PER_S = 200
_BUDGET_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Sample:
    """Images that were read. `notebook` says what is wrong; its caller closes it."""

    notebook: Notebook
    cut_short: int
    """So many layers were too much: of them the first byte was read."""
    read_bytes: int
    ended: str
    """Why not all was read, in words; empty where all was."""


def read(target: Target, images: list[Known]) -> Sample:
    """Read these images from every registry replica, at most half a GiB whole. Raises Failure, CannotTell."""
    notebook, pace = Notebook(), Pace(requests_per_s=_REQUESTS_PER_S)
    notebook.add_artifacts(images, "api")
    ended = ""
    with Walk(notebook, harbor.sources(target), pace, budget_bytes=_BUDGET_BYTES) as walk:
        try:
            walk.read_manifests()
            walk.read_blobs()
        except Stopped as stopped:
            ended = str(stopped)
    return Sample(notebook, walk.cut_short, pace.bytes, ended)


def require_whole(sample: Sample) -> None:
    """Raises CannotTell where not all was read."""
    unknowns = [f"{thing}: {reason}" for thing, reason in sample.notebook.unknowns()]
    if sample.ended or unknowns:
        raise CannotTell("\n".join(filter(None, [sample.ended, *unknowns])))
