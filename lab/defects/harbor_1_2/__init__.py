"""Defects of Harbor 1.2."""

EVERY_FAILOVER = frozenset(
    {
        "failover.configuration-store-pod-kill",
        "failover.front-door-pod-kill",
        "failover.job-pod-kill",
        "failover.registry-pod-kill",
        "failover.web-pod-kill",
    }
)
"""What turns red with whatever keeps users from signing in, pushing or pulling, whichever pod dies meanwhile."""
