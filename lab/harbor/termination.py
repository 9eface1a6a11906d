"""The end of a program, as a Go program without a signal handler ends: at once, whatever it is doing."""

import os
import signal
import threading
import time
from collections.abc import Callable

from . import log

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Fatal(Exception):
    """The program cannot start; the text says why. Ends it with exit code 1."""


class Panic(Exception):
    """The program ends as a Go panic does, with exit code 2."""


def run(
    main: Callable[[], None], *, grace_s: float | None = None, finish: Callable[[], None] | None = None
) -> None:
    """Run a program's `main`, with Go's exit codes: 1 when it cannot start, 2 when it panics.

    Signals end it at once; one that takes care of them goes on for `grace_s`, or until `finish` returns, and ends
    with 0.
    """
    log.configure()
    _die_on_signals(grace_s, finish)
    try:
        main()
    except Fatal as reason:
        log.fatal(str(reason))
        os._exit(1)
    except Panic as reason:
        log.fatal(f"panic: {reason}")
        os._exit(2)


def _die_on_signals(grace_s: float | None, finish: Callable[[], None] | None) -> None:
    # A thread of its own waits for them: the main thread may hang in a name look-up, where Python handles none.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    threading.Thread(target=_wait_and_die, args=(grace_s, finish), name="signals", daemon=True).start()


def _wait_and_die(grace_s: float | None, finish: Callable[[], None] | None) -> None:
    number = signal.sigwait(_SIGNALS)
    if finish is not None:
        log.info("the system receives a signal, it ends when it has finished")
        finish()
        os._exit(0)
    if grace_s is not None:
        log.info(f"the system receives a signal, it ends in {grace_s:.0f} s")
        time.sleep(grace_s)
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.kill(os.getpid(), number)
    os._exit(2)  # still here: the kernel protects process 1 of a container from signals without a handler
