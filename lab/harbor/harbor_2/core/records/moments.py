"""Points in time as Harbor 2's API writes them."""

from datetime import datetime

NEVER = "0001-01-01T00:00:00.000Z"
"""Go's zero time."""


def moment(value: datetime | None) -> str:
    """A database's timestamp, which is in UTC, in milliseconds."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z" if value else NEVER
