"""A measured figure and how it is shown."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Measurements of one thing; `limit` is what the project promises at most, in the same unit."""

    name: str
    unit: str
    values: Sequence[float]
    limit: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def kept(self) -> bool:
        """Whether the median is within the limit, where there is one."""
        return self.limit is None or self.median <= self.limit

    def spread(self) -> str:
        """The least and the greatest value, or nothing where there is only one."""
        return f"{shown(min(self.values))} to {shown(max(self.values))}" if len(self.values) > 1 else ""


def shown(value: float) -> str:
    """With four digits, or all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
