"""Reading all that a notebook knows of: manifests first, then what they are made of, a few at the same time.

All registry replicas stand on one storage, so reading every byte from each of them would find the same damage again
for as many times the load. So each blob is read whole once, the replicas taking turns, and of every other replica its
first byte is asked, which opens the file in that replica's own mount (a HEAD would be answered from Redis). What is
small (64 KiB: manifests, configurations) is read whole everywhere, since that costs the same. In further repositories
that have the same blob, its first byte is asked of one replica: the link there may be missing.
What one replica gives and another does not is that replica's trouble, and neither Redis's nor the storage's.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TypeVar

from harbor_verify.audit import manifests, reading
from harbor_verify.audit.kinds import Kind, Trouble
from harbor_verify.audit.manifests import Part
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.reading import SIGNED_V1, SMALL_BYTES, Reading, Sizes
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import CannotTell, HarnessError, NoAnswer
from harbor_verify.model.contents import Known

_BATCH = 500
_MOST_SILENT = 30
"""So many in a row could not be read: then nobody answers, and nothing more is asked."""

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A registry replica: `open` makes a client of it for one thread, which closes it."""

    place: str
    open: Callable[[], Registry]


@dataclass
class Found:
    """What one unit of reading gave."""

    troubles: list[Trouble] = field(default_factory=list)
    unknowns: list[tuple[str, HarnessError]] = field(default_factory=list)
    parts: list[Part] | None = None
    """Of a manifest that was read; None: it was not."""


class Stopped(Exception):
    """Nobody answers any more, or the audit was interrupted; what was not read stays to be read."""


class Walk:
    """Reads with so many threads. `whole_everywhere`: every byte from every replica. `budget_bytes`: when so much was
    read, of further blobs only the first byte is asked (None: no such limit); `cut_short` then says of how many.
    """

    def __init__(
        self,
        notebook: Notebook,
        sources: Sequence[Source],
        pace: Pace,
        *,
        threads: int = 4,
        whole_everywhere: bool = False,
        budget_bytes: int | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._notebook, self._sources, self._pace = notebook, list(sources), pace
        self._threads, self._whole_everywhere, self._budget = threads, whole_everywhere, budget_bytes
        self._tick = tick
        self._mine = threading.local()
        self._opened: list[Registry] = []
        self._silent = 0
        self.cut_short = 0

    def __enter__(self) -> "Walk":
        return self

    def __exit__(self, *_: object) -> None:
        for registry in self._opened:
            registry.close()

    def read_manifests(self) -> None:
        """Until none is left, those that indexes name included. Raises Stopped."""

        def units() -> Iterator[tuple[int, Known]]:
            above = 0
            while batch := self._notebook.undone_artifacts(above=above, most=_BATCH):
                yield from batch
                above = batch[-1][0]

        def finish(unit: tuple[int, Known], found: Found) -> None:
            self._notebook.note_parts(unit[0], unit[1], found.parts or ())
            # A replica that did not answer is asked again by whoever goes on.
            if not found.unknowns:
                self._notebook.finish_artifact(unit[0])

        while self._notebook.undone_artifacts(above=0, most=1):
            before = self._notebook.counts()
            self._work(units(), lambda unit: self._read_artifact(unit[1]), finish)
            if self._notebook.counts() == before:
                return  # what is left could not be read, and is told as such

    def read_blobs(self) -> None:
        """All that manifests named. Raises Stopped."""

        def units() -> Iterator[tuple[int, str, Sizes, list[str]]]:
            above = 0
            while batch := self._notebook.undone_blobs(above=above, most=_BATCH):
                for id, digest, size, recorded in batch:
                    yield id, digest, Sizes(size, recorded), self._notebook.repositories_of(digest)
                above = batch[-1][0]

        def finish(unit: tuple[int, str, Sizes, list[str]], found: Found) -> None:
            if not found.unknowns:
                self._notebook.finish_blob(unit[0])

        self._work(units(), lambda unit: self._read_blob(*unit[1:]), finish)

    def first_byte(self, repository: str, digest: str, sizes: Sizes) -> Found:
        """Ask the replica whose turn it is for one byte, and the others until one gives it."""
        found, registries, mine = Found(), self._registries(), self._number(digest)
        for place, registry in (*registries[mine:], *registries[:mine]):

            def look(registry: Registry = registry) -> tuple[Kind, str] | None:
                return self._one_byte(registry, repository, digest, sizes)

            if self._judge(found, place, digest, repository, look):
                _others_give_it(found)
                break
        return found

    def side_by_side(
        self, units: Iterator[T], work: Callable[[T], Found], finish: Callable[[T, Found], None]
    ) -> None:
        """Do further work of the same kind with the same threads. Raises Stopped."""
        self._work(units, work, finish)

    def _work(
        self, units: Iterator[T], work: Callable[[T], Found], finish: Callable[[T, Found], None]
    ) -> None:
        pending: dict[Future[Found], T] = {}
        pool = ThreadPoolExecutor(self._threads)
        try:
            for unit in units:
                pending[pool.submit(work, unit)] = unit
                if len(pending) >= 4 * self._threads:
                    self._collect(pending, finish)
            while pending:
                self._collect(pending, finish)
        except BaseException:
            self._pace.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._notebook.save()

    def _collect(self, pending: dict[Future[Found], T], finish: Callable[[T, Found], None]) -> None:
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            unit, found = pending.pop(future), future.result()
            self._notebook.tell(found.troubles)
            for thing, reason in found.unknowns:
                self._notebook.leave_unknown(thing, str(reason), silent=isinstance(reason, NoAnswer))
            finish(unit, found)
            self._silent = self._silent + 1 if found.unknowns and not found.troubles else 0
        self._tick()
        if self._silent >= _MOST_SILENT:
            raise Stopped(f"{self._silent} in a row could not be read, the last ones of what is told below")

    def _read_artifact(self, known: Known) -> Found:
        """Whole from every replica: they are small, and each repository has a link of its own."""
        found, is_given = Found(), False
        for place, registry in self._registries():

            def look(registry: Registry = registry) -> tuple[Kind, str] | None:
                seen = reading.read_manifest(registry, known.repository, known.digest, self._pace)
                return self._judged_manifest(found, seen, known)

            is_given |= self._judge(found, place, known.digest, known.repository, look)
        if is_given:
            _others_give_it(found)
        return found

    def _judged_manifest(self, found: Found, seen: Reading, known: Known) -> tuple[Kind, str] | None:
        wrong = reading.judge(seen, known.digest, Sizes())
        if wrong and wrong[0] is Kind.OTHER_BYTES and seen.media_type.startswith(SIGNED_V1):
            wrong = None  # its digest leaves the signatures out
        if wrong:
            return wrong
        if found.parts is None:
            try:
                found.parts = manifests.parts_of(seen.content)
            except (ValueError, TypeError, KeyError) as broken:
                # Its bytes are those of its digest, so that is how it was pushed.
                raise CannotTell(f"it is no manifest that is known here: {broken}") from broken
        return None

    def _read_blob(self, digest: str, sizes: Sizes, repositories: list[str]) -> Found:
        found, first = Found(), repositories[0]
        expected = sizes.manifest or sizes.database
        small = expected is not None and expected <= SMALL_BYTES
        registries = self._registries()
        mine = self._number(digest)
        giver = None
        for number, (place, registry) in enumerate(registries):
            whole = small or self._whole_everywhere or number == mine
            if whole and not small and self._budget is not None:
                self._budget -= expected or 0
                if self._budget < 0:
                    whole, self.cut_short = False, self.cut_short + 1

            def look(registry: Registry = registry, whole: bool = whole) -> tuple[Kind, str] | None:
                if not whole:
                    return self._one_byte(registry, first, digest, sizes)
                return reading.judge(reading.read(registry, first, digest, self._pace), digest, sizes)

            if self._judge(found, place, digest, first, look) and (giver is None or number == mine):
                giver = (place, registry)
        if giver:
            _others_give_it(found)
        place, registry = giver or registries[mine]
        for repository in repositories[1:]:

            def look_there(repository: str = repository) -> tuple[Kind, str] | None:
                return self._one_byte(registry, repository, digest, sizes)

            self._judge(found, place, digest, repository, look_there)
        return found

    def _one_byte(
        self, registry: Registry, repository: str, digest: str, sizes: Sizes
    ) -> tuple[Kind, str] | None:
        seen = reading.read(registry, repository, digest, self._pace, whole=False)
        return reading.judge_first_byte(seen, sizes)

    def _judge(
        self,
        found: Found,
        place: str,
        digest: str,
        repository: str,
        look: Callable[[], tuple[Kind, str] | None],
    ) -> bool:
        """Whether it was well there."""
        try:
            wrong = look()
        except HarnessError as reason:
            if self._pace.stop.is_set():
                raise Stopped("interrupted") from reason
            found.unknowns.append((f"{repository}@{digest} at {place}", reason))
            return False
        if wrong:
            found.troubles.append(Trouble(wrong[0], digest, repository, place, wrong[1]))
        return not wrong

    def _number(self, digest: str) -> int:
        """Which replica's turn a blob is: always the same one's, so that an audit that goes on asks no other."""
        return int(digest.rpartition(":")[2][-8:], 16) % len(self._sources)

    def _registries(self) -> list[tuple[str, Registry]]:
        """This thread's own."""
        if not hasattr(self._mine, "registries"):
            self._mine.registries = [(source.place, source.open()) for source in self._sources]
            self._opened += [registry for _, registry in self._mine.registries]
        return self._mine.registries


def _others_give_it(found: Found) -> None:
    """What is missing at some replicas is in the storage all the same, and Redis vouches for it rightly."""
    gone = (Kind.MISSING, Kind.STALE)
    found.troubles = [
        replace(each, kind=Kind.NOT_EVERYWHERE) if each.kind in gone else each for each in found.troubles
    ]
