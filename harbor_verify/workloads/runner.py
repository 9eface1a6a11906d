"""Drives clients, a thread each, at a rate that is bounded in all."""

import threading
import time
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Self

from harbor_verify.clients.pod_channel import PodGone
from harbor_verify.errors import DeadlinePassed, HarnessError, WorkerCrashed
from harbor_verify.history import Recorder
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.work import Work, perform

_AGAIN_AFTER_S = 0.1


class _Allowance:
    """So many a second, and no more than a second's worth at once."""

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s, self._left, self._at_s = rate_per_s, rate_per_s, time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there is one left; it is then taken."""
        with self._lock:
            now_s = time.monotonic()
            self._left = min(self._rate_per_s, self._left + (now_s - self._at_s) * self._rate_per_s)
            self._at_s = now_s
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Workers:
    """Runs each of `works` again and again until the end of the `with` block.

    Together they begin at most `rate_per_s` operations a second, in turn. One that takes longer than its share
    holds up nobody else; its client goes on after half a turn, so that it is never silent for much longer than a turn,
    and what it missed is not made up for: a slow Harbor is not hit harder. Who got no good answer
    asks again soon, as people do, so that a short outage is not measured as long as a turn; for that there are as many
    operations a second again, for all together. A client of a pod that is gone ends.
    """

    def __init__(
        self, recorder: Recorder, works: Sequence[Work], *, rate_per_s: float = 20, stop_timeout_s: float = 60
    ) -> None:
        """`stop_timeout_s`: how long the operations under way may take to end; longer than a request's timeout.

        Raises ValueError when there is nothing to do, or when two have the same client's name.
        """
        self.clients = tuple(work.client for work in works)
        if not works or len(set(self.clients)) < len(works):
            raise ValueError(f"each client needs a name of its own, and there must be one: {self.clients}")
        self._recorder = recorder
        self._stop_timeout_s = stop_timeout_s
        self._stop = threading.Event()
        self._crashes: dict[str, BaseException] = {}
        self._begun = dict.fromkeys(self.clients, 0)
        self._answered = dict.fromkeys(self.clients, -1)
        self._asked_s: dict[str, float] = {}
        """When those who wait for a good answer began to ask for it."""
        self._interval_s = len(works) / rate_per_s
        self._again = _Allowance(rate_per_s)
        self._threads = [
            # Daemons: one that hangs must not keep the process from ending after Ctrl-C.
            threading.Thread(
                target=self._work, args=(work, number / rate_per_s), name=f"worker {work.client}", daemon=True
            )
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Stop, and wait for the operations under way. Raises WorkerCrashed, DeadlinePassed (one still hangs)."""
        try:
            self._end()
        except HarnessError as stop_error:
            if error is None:
                raise
            error.add_note(f"also, when the workers were stopped: {stop_error}")

    def let_each_succeed(
        self, *, timeout_s: float, deadline: str = "converge_timeout_s", without: Collection[str] = ()
    ) -> None:
        """Wait until every client, but for those `without`, has had a good answer to what it asked after now.

        Before a disruption: nothing is measured that was broken before. Afterwards: the end of an outage is seen.
        `deadline` is the setting that `timeout_s` comes from. Raises DeadlinePassed, WorkerCrashed.
        """
        begun = dict(self._begun)
        awaited = [client for client in self.clients if client not in without]

        def each_succeeded() -> None:
            self._raise_crashes()
            if late := [client for client in awaited if self._answered[client] < begun[client]]:
                raise NotYet(f"none for {', '.join(late)}")

        wait_until(
            "a good answer for every client",
            each_succeeded,
            deadline=deadline,
            timeout_s=timeout_s,
            interval_s=0.05,
        )

    def go_on(self, seconds: float) -> None:
        """Let the clients work for so many seconds more, none if that is less than 0. Raises WorkerCrashed."""
        self._stop.wait(max(0.0, seconds))
        self._raise_crashes()

    def longest_silence(self) -> tuple[str, float]:
        """The client that has asked for a good answer in vain for longest, and how many seconds; ("", 0): nobody."""
        waiting = [(began_s, client) for client, began_s in self._asked_s.copy().items()]
        if not waiting:
            return "", 0.0
        began_s, client = min(waiting)
        return client, time.monotonic() - began_s

    def _work(self, work: Work, first_after_s: float) -> None:
        due = time.monotonic() + first_after_s
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            number = self._begun[work.client]
            self._begun[work.client] = number + 1
            self._asked_s.setdefault(work.client, time.monotonic())
            try:
                done = perform(work, self._recorder)
            except BaseException as crash:  # noqa: BLE001 - any at all, to be raised where the check can see it
                self._crashes[work.client] = crash
                self._stop.set()
                return
            if done.ok:
                self._answered[work.client] = number
                self._asked_s.pop(work.client, None)
            elif done.error == PodGone.__name__:
                self._asked_s.pop(work.client, None)
                return
            now = time.monotonic()
            due = max(due + self._interval_s, now + self._interval_s / 2)
            if not done.ok and self._again.take():
                due = min(due, now + _AGAIN_AFTER_S)

    def _end(self) -> None:
        self._stop.set()
        deadline = time.monotonic() + self._stop_timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._raise_crashes()
        if hanging := [thread.name for thread in self._threads if thread.is_alive()]:
            raise DeadlinePassed(f"not ended after {self._stop_timeout_s:g} s: {', '.join(hanging)}")

    def _raise_crashes(self) -> None:
        for client, crash in self._crashes.items():
            raise WorkerCrashed(f"{client}: {crash!r}") from crash
