"""What the stand-in answers beside what was recorded."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

Exchange = dict[str, Any]

_ANSWER = ("status", "headers", "cookies", "csrf_token", "answer", "slow")


class Client(Protocol):
    """Speaks to the programs of one generation of Harbor."""

    def send(self, exchange: Exchange) -> Exchange:
        """The answer to a distilled request, distilled. Raises TimeoutError, ConnectionError."""

    def log_end(self, to: str) -> str:
        """Of the program behind an address."""


def differences(
    client: Client, section: Iterable[Exchange], shape: Callable[[Exchange], Exchange] | None = None
) -> list[str]:
    """Send each exchange; a line for each that is not answered as recorded, with what the program logged last.

    `shape`: what is compared of an answer, if not all of it.
    """
    wrong = []
    for exchange in section:
        expected = {key: exchange[key] for key in _ANSWER if key in exchange}
        got = client.send(exchange)
        got = shape(got) if shape else got
        if got != expected:
            wrong.append(f"{_described(exchange, expected, got)}\n{client.log_end(exchange['to'])}")
    return wrong


def _described(exchange: Exchange, expected: Exchange, got: Exchange) -> str:
    keys = [key for key in _ANSWER if expected.get(key) != got.get(key)]
    lines = [f"{exchange['name']} ({exchange['request']} to {exchange['to']})"]
    lines += [
        f"    {key}: recorded {expected.get(key)!r}\n    {key}: answered {got.get(key)!r}" for key in keys
    ]
    return "\n".join(lines)
