"""Looking for pushed images in Harbor's catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED
from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.history import Operation, Outcome, Recorder
from harbor_verify.workloads.confirming import ask_until_known
from harbor_verify.workloads.images import Pushed
from harbor_verify.workloads.work import Result, Work


class Listing(Work):
    """Asks one place for a repository's tags, and tells which digests are missing."""

    kind = LISTING
    writes = False

    def __init__(
        self, harbor: Harbor, repository: str, digests: Sequence[str], credentials: Credentials
    ) -> None:
        super().__init__(harbor.name, uid=harbor.uid)
        self._harbor, self._repository, self._credentials = harbor, repository, credentials
        self._digests = tuple(digests)

    def begin(self) -> Mapping[str, Any]:
        return {"repository": self._repository}

    def do(self) -> Result:
        try:
            listed = set(self._harbor.tags(self._repository, self._credentials).values())
        except UnexpectedAnswer as refusal:
            if refusal.status != 404:
                raise
            listed = set()
        missing = [digest for digest in self._digests if digest not in listed]
        if missing:
            return Result(Outcome.FAIL, status=200, error=NOT_LISTED, value={"missing": missing})
        return Result(status=200, value={"missing": []})


def list_everywhere(
    recorder: Recorder,
    harbors: Sequence[Harbor],
    pushed: Sequence[Pushed],
    credentials: Credentials,
    *,
    span_s: float,
    listed_within_s: float = 30,
) -> list[Operation]:
    """After the heal: look for every acknowledged image in the catalogue at each of `harbors`, until it is there.

    Harbor may list what it is told of some time later: each has `listed_within_s` seconds, and `span_s` at least.
    Returns the last operation of each place and repository; `no_push_missing_in_catalogue` judges the history.
    """
    digests: dict[str, list[str]] = {}
    for each in pushed:
        digests.setdefault(each.repository, []).append(each.image.digest)
    lanes = [
        [Listing(harbor, name, those, credentials) for name, those in digests.items()] for harbor in harbors
    ]
    return ask_until_known(recorder, lanes, span_s=span_s, at_least_s=listed_within_s)
