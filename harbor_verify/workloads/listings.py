"""Looking for pushed images in Harbor's catalogue."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from harbor_verify.checkers.catalogue import LISTING, NOT_LISTED
from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.errors import DeadlinePassed, UnexpectedAnswer
from harbor_verify.history import Operation, Outcome, Recorder
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.images import Pushed
from harbor_verify.workloads.side_by_side import side_by_side
from harbor_verify.workloads.work import Result, Work, perform


class Listing(Work):
    """Asks one place for a repository's tags, and tells which digests are missing."""

    kind = LISTING
    writes = False

    def __init__(
        self, harbor: Harbor, repository: str, digests: Sequence[str], credentials: Credentials
    ) -> None:
        super().__init__(harbor.name, client=f"{LISTING}@{harbor.name}", uid=harbor.uid)
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
    timeout_s: float = 30,
) -> list[Operation]:
    """After the heal: look for every acknowledged image in the catalogue at each of `harbors`, until it is there.

    Harbor may list what it is told of some time later: all have `timeout_s` together. Returns the last operation of
    each place and repository; `no_push_missing_in_catalogue` judges the history.
    """
    digests: dict[str, list[str]] = {}
    for each in pushed:
        digests.setdefault(each.repository, []).append(each.image.digest)
    left = [
        Listing(harbor, name, those, credentials) for harbor in harbors for name, those in digests.items()
    ]
    last: list[Operation] = []

    def look() -> None:
        places = [[each for each in left if each.replica == harbor.name] for harbor in harbors]
        lanes = [[partial(perform, each, recorder) for each in place] for place in places]
        for listing, done in zip(chain(*places), side_by_side(lanes), strict=True):
            if done.ok:
                left.remove(listing)
                last.append(done)
        if left:
            raise NotYet(f"{len(left)} listings lack something")

    try:
        wait_until(
            "what was pushed is listed",
            look,
            deadline="Harbor's own notifications",
            timeout_s=timeout_s,
            interval_s=0.5,
        )
    except DeadlinePassed:
        last += [perform(listing, recorder) for listing in left]
    return last
