"""Bringing the records of repositories to what the registry has: at each start, and when an administrator asks.

What the registry lacks is deleted from the records, so an empty or wrong volume wipes them.
"""

from ... import log
from .. import dependencies
from ..configuration import ConfigurationUnavailable
from ..database import Database, DatabaseError, describe
from .records import access_log, projects, repositories
from .registry_client import RegistryClient, RegistryFailure
from .signing import KeyUnusable


class SynchronisationFailed(Exception):
    """Nothing, or not everything, could be compared; the text says why."""


def synchronise(database: Database, registry: RegistryClient) -> None:
    """Waits up to a minute for the registry. Raises SynchronisationFailed."""
    log.info("Start syncing repositories from registry to DB... ")
    try:
        dependencies.wait_for(*dependencies.host_and_port(registry.url))
        stored = {name for name in registry.catalog() if "/" in name and registry.tags(name)}
        recorded = set(repositories.names(database))
    except DatabaseError as failure:
        raise SynchronisationFailed(describe(failure)) from failure
    except RegistryFailure as failure:
        raise SynchronisationFailed(f"{failure.status or ''} {failure}".strip()) from failure
    except (ConfigurationUnavailable, KeyUnusable, TimeoutError) as failure:
        raise SynchronisationFailed(str(failure)) from failure
    for name in sorted(stored - recorded):
        _add(database, name)
    for name in sorted(recorded - stored):
        _delete(database, name)
    log.info("Sync repositories from registry to DB is done.")


def _add(database: Database, name: str) -> None:
    try:
        project = projects.by_name(database, name.partition("/")[0])
        if project is None:
            return
        repositories.add(database, name, project["project_id"], access_log.count_pulls(database, name))
        log.debug(f"Add repository: {name} success.")
    except DatabaseError as failure:
        # Replicas that start at the same moment add the same records; the second one is refused.
        log.error(f"Error happens when adding the missing repository: {describe(failure)}")


def _delete(database: Database, name: str) -> None:
    try:
        repositories.delete(database, name)
        log.debug(f"Delete repository: {name} success.")
    except DatabaseError as failure:
        log.error(f"Error happens when deleting the repository: {describe(failure)}")
