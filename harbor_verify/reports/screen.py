"""How text for a terminal is made."""

import io

from rich.console import Console

WIDEST = 110
"""Long lines are hard to read, however wide the terminal is."""


def new(*, width: int, colour: bool) -> Console:
    """A console that keeps what is printed on it, for `text_of`."""
    return Console(
        file=io.StringIO(),
        width=min(width, WIDEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
    )


def text_of(made: Console) -> str:
    """What was printed; without the blanks with which the console fills lines to its width."""
    return "\n".join(line.rstrip() for line in made.file.getvalue().split("\n"))
