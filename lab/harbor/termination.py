"""The end of a program, as a Go program without a signal handler ends: at once, whatever it is doing."""

import os
import signal
import threading
from collections.abc import Callable

from . import log

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Fatal(Exception):
    """The program cannot start; the text says why. Ends it with exit code 1."""


class Panic(Exception):
    """The program ends as a Go panic does, with exit code 2."""


def run(main: Callable[[], None]) -> None:
    """Run a program's `main`, with Go's exit codes: 1 when it cannot start, 2 when it panics."""
    log.configure()
    _die_at_once_on_signals()
    try:
        main()
    except Fatal as reason:
        log.fatal(str(reason))
        os._exit(1)
    except Panic as reason:
        log.fatal(f"panic: {reason}")
        os._exit(2)


def _die_at_once_on_signals() -> None:
    # A thread of its own waits for them: the main thread may hang in a name look-up, where Python handles none.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    threading.Thread(target=_wait_and_die, name="signals", daemon=True).start()


def _wait_and_die() -> None:
    number = signal.sigwait(_SIGNALS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.kill(os.getpid(), number)
    os._exit(2)  # still here: the kernel protects process 1 of a container from signals without a handler
