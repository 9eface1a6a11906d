"""Points in time as Harbor's API writes them."""

from datetime import datetime

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time."""


def moment(value: datetime | None) -> str:
    """A database's timestamp, which is in UTC."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else NEVER
