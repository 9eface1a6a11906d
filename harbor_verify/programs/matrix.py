"""Who pushed, and who could read it, as a table. Pure: no I/O."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from harbor_verify.programs.client import Client


class Cell(StrEnum):
    """What came of one pair."""

    SAME = "same"
    WRONG = "WRONG"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "-"


def table(
    clients: Sequence[Client], cells: Mapping[tuple[str, str], Cell], left_out: Mapping[str, str]
) -> str:
    """The matrix as text; `cells` by (who pushed, who pulls), `left_out` the reasons by client."""
    first = [f"{each.name} {each.version}: {each.pushes}" for each in clients]
    width = max(map(len, ("pushed by", *first)))
    widths = [max(len(each.name), len(Cell.UNKNOWN)) for each in clients]

    def row(begin: str, words: Sequence[str]) -> str:
        columns = (f"{word:<{columns}}" for word, columns in zip(words, widths, strict=True))
        return f"{begin:<{width}}  {'  '.join(columns)}".rstrip()

    lines = [row("pushed by", [each.name for each in clients])]
    for pusher, begin in zip(clients, first, strict=True):
        lines.append(row(begin, [cells[pusher.name, puller.name] for puller in clients]))
    lines += [
        "",
        "columns: who pulled; same: the digest that was pushed; -: not applicable to what was pushed",
    ]
    lines += [f"left out: {name}: {reason}" for name, reason in sorted(left_out.items())]
    return "\n".join(lines)
