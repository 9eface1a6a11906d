"""Defects of Harbor 1.2."""

SOME_FAILOVER = frozenset({"failover.registry-pod-kill", "failover.web-pod-kill"})
"""Of what turns red with whatever keeps users from signing in, pushing or pulling: whichever pod dies meanwhile."""
