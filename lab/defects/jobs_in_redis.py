"""What jobservice of Harbor 2 keeps in Redis, for what may befall it."""

from lab import settings
from lab.defects import Lab
from lab.deployment import rollout
from lab.stores import redis_sentinel

DATABASE = "1"
"""Jobservice's, as deploy/ has it."""
_NAMESPACE = "{harbor_job_service_namespace}"


def key(*parts: str) -> str:
    return ":".join((_NAMESPACE, *parts))


def send(*words: str) -> str:
    """Send one command, and return what is answered. Raises CommandFailed."""
    address = settings.REDIS[redis_sentinel.in_use()]
    return redis_sentinel.redis_cli(address, redis_sentinel.PORT, "-n", DATABASE, *words)


def restart_jobservices(lab: Lab) -> None:
    """With the first that starts all schedules come back; what fired before is judged no more."""
    rollout.restart(lab.kubectl, lab.profile, "harbor-jobservice")
