"""Valkey in the place of Redis, with its own Sentinels. Of Harbor's settings nothing is other than with Redis."""

from lab.layouts import Layout
from lab.stores import valkey

LAYOUT = Layout(
    about="Valkey with its Sentinels in the place of Redis",
    session_store=valkey.server,
    healthy=valkey.healthy,
)
