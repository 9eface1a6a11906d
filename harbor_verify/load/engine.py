"""The process that loads Harbor: python -m harbor_verify.load.engine, with a plan on standard input.

It ends when its standard input does (whoever started it is gone, or has had enough), or when the plan's time is over.
"""

# First: it replaces sockets and threads, before anything else gets hold of them.
import locust  # isort: skip
import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import count
from secrets import token_bytes
from typing import Any

import gevent
import gevent.os
from locust.env import Environment

from harbor_verify.clients import token_service
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry, by_token
from harbor_verify.errors import AnswerError, WrongContent
from harbor_verify.load.plan import PERIOD_S, PULLS_A_PUSH, Done, Plan
from harbor_verify.workloads.images import CONTENT_BYTES
from harbor_verify.workloads.pace import PushAllowance

_TELLS_EVERY_S = 1.0
_RAMP_S = 10.0
"""They begin one after the other: fifty who ask for a token at the same moment are a stampede, and no load."""
_CHUNK = 2**16


class Client(locust.User):
    """Pulls and pushes through the front door, one after the other, as a CI system does."""

    abstract = True
    wait_time = locust.constant_pacing(PERIOD_S)
    plan: Plan
    allowance: PushAllowance
    told: dict[str, str]
    numbers: Iterator[int]

    def on_start(self) -> None:
        plan = self.plan
        link = HttpClient("front-door", plan.url, timeouts_s=plan.timeouts_s, verify=plan.verify)
        self._link, self._registry = link, Registry(link, by_token(self._tokens(link)))
        # Not all at once: whoever came first pushes first.
        self._turn = count(next(self.numbers))
        self._digest, self._repository = plan.digest, plan.pulls_from

    def on_stop(self) -> None:
        self._link.close()

    @locust.task
    def pull_or_push(self) -> None:
        pushes = next(self._turn) % (PULLS_A_PUSH + 1) == 0
        image = Image.make(token_bytes(CONTENT_BYTES), run_id=self.plan.run_id) if pushes else None
        if image and self.allowance.take(image.size_bytes):
            self._do("push", self._push, image)
        else:
            # At its digest, whose bytes are compared: another image, or half of one, is an error.
            self._do("pull", self._registry.pull, self._repository, self._digest)

    def _push(self, image: Image) -> None:
        self._registry.push(image, self.plan.pushes_to, image.digest[-12:])
        self._digest, self._repository = image.digest, self.plan.pushes_to

    def _do(self, kind: str, do: Any, *arguments: Any) -> None:
        begun_s, failure = time.monotonic(), None
        try:
            do(*arguments)
        except (AnswerError, WrongContent) as error:
            failure, self.told["error"] = error, str(error)
        took_ms = (time.monotonic() - begun_s) * 1000
        self.environment.events.request.fire(
            request_type=kind,
            name="load",
            response_time=took_ms,
            response_length=0,
            exception=failure,
            context={},
        )

    def _tokens(self, link: HttpClient) -> Any:
        """One for each scope, kept: as long as they are good, a run's load has ended."""
        return cache(lambda scope: token_service.fetch(link, self.plan.credentials, scope).text)


def main() -> None:
    plan = Plan.parse(_first_line())
    allowance, told = PushAllowance(plan.most_bytes), {"error": ""}
    kind = type(
        "Loading", (Client,), {"plan": plan, "allowance": allowance, "told": told, "numbers": count()}
    )
    environment = Environment(user_classes=[kind])
    runner = environment.create_local_runner()
    begun_s = time.monotonic()

    def tell() -> None:
        pulls, pushes = (environment.stats.get("load", of) for of in ("pull", "push"))
        all_of_it = environment.stats.total
        done = Done(
            pulls=pulls.num_requests - pulls.num_failures,
            pushes=pushes.num_requests - pushes.num_failures,
            failed=all_of_it.num_failures,
            pushed_bytes=allowance.used_bytes,
            seconds=time.monotonic() - begun_s,
            p50_ms=all_of_it.get_response_time_percentile(0.5) or 0.0,
            p99_ms=all_of_it.get_response_time_percentile(0.99) or 0.0,
            longest_ms=all_of_it.max_response_time,
            error=told["error"],
        )
        sys.stdout.write(f"{done.line()}\n")
        sys.stdout.flush()

    runner.start(plan.clients, spawn_rate=max(1.0, plan.clients / _RAMP_S))
    ended = gevent.spawn(_await_end)
    while not ended.ready() and time.monotonic() - begun_s < plan.for_s:
        gevent.wait([ended], timeout=_TELLS_EVERY_S)
        tell()
    runner.quit()


def _first_line() -> str:
    text = b""
    while not text.endswith(b"\n"):
        if not (more := gevent.os.tp_read(0, _CHUNK)):
            raise SystemExit("no plan on standard input")
        text += more
    return text.decode()


def _await_end() -> None:
    while gevent.os.tp_read(0, _CHUNK):
        continue


if __name__ == "__main__":
    main()
