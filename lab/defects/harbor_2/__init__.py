"""Defects of Harbor 2.x."""

EVERY_FAILOVER = frozenset(
    {
        "failover.front-door-pod-kill",
        "failover.job-pod-kill",
        "failover.page-pod-kill",
        "failover.registry-pod-kill",
        "failover.web-pod-kill",
    }
)
"""What turns red with whatever keeps users from signing in, pushing or pulling, whichever pod dies meanwhile."""
