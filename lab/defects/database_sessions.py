"""Harbor's sessions at the database: what its role is told counts from the next session on, and Harbor keeps some."""

from lab.defects import Lab


def end(lab: Lab) -> None:
    """End them all; Harbor opens others as it needs them."""
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'harbor'")
