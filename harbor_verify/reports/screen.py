"""How text for a terminal is made."""

import io
from typing import Any

from rich.console import Console

WIDEST = 110
"""Long lines are hard to read, however wide the terminal is."""


class Screen(Console):
    """A console that keeps what is printed on it, for `text_of`."""

    def __init__(self, kept: io.StringIO, **given: Any) -> None:
        super().__init__(file=kept, **given)
        self.kept = kept


def new(*, width: int, colour: bool) -> Screen:
    """An empty one, of at most so many columns."""
    return Screen(
        io.StringIO(),
        width=min(width, WIDEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
    )


def text_of(made: Screen) -> str:
    """What was printed; without the blanks with which the console fills lines to its width."""
    return "\n".join(line.rstrip() for line in made.kept.getvalue().split("\n"))
