"""PostgreSQL tells Harbor that its commits are kept, and writes them down ten seconds later."""

from lab.defects import Defect, Lab, database_sessions, jobs_in_redis


def _hurry(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor SET synchronous_commit = off")
    lab.sql("ALTER SYSTEM SET wal_writer_delay = '10s'")
    # Else every MiB is written down at once, and after a checkpoint that is every second.
    lab.sql("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
    lab.sql("SELECT pg_reload_conf()")
    database_sessions.end(lab)


def _wait(lab: Lab) -> None:
    lab.sql("ALTER SYSTEM RESET wal_writer_delay")
    lab.sql("ALTER SYSTEM RESET wal_writer_flush_after")
    lab.sql("ALTER ROLE harbor RESET synchronous_commit")
    lab.sql("SELECT pg_reload_conf()")
    database_sessions.end(lab)
    # What was lost may have been that a schedule has fired.
    jobs_in_redis.restart_jobservices(lab)


DEFECT = Defect(
    report="PostgreSQL: synchronous_commit and wal_writer_delay, which guides to faster databases change together",
    shows="nothing, until the primary is lost: the last writes and pushes that clients saw succeed are gone",
    turns_red=frozenset(
        {"durability.database-commits-are-kept", "failover.database-kill", "failover.database-restart-of-all"}
    ),
    hint_says=("synchronous_commit",),
    plant_outside=_hurry,
    heal_outside=_wait,
)
