"""Of all tests of this software."""

import signal


def pytest_sessionstart() -> None:
    """Whoever ends the tests (a CI that has waited for too long) ends them like Ctrl-C: fixtures clean up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
