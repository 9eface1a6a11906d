"""Whenever a schedule is due, what it is for is started twice."""

from lab.defects import Defect, Lab


def _double(lab: Lab) -> None:
    """What it starts from now on, and what it has started lately."""
    _restore(lab)
    lab.sql(
        """INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time, end_time)
            SELECT vendor_type, vendor_id, 'Success', 'SCHEDULE', start_time, start_time FROM execution
            WHERE trigger = 'SCHEDULE' AND start_time > now() AT TIME ZONE 'UTC' - interval '1 hour';
        CREATE OR REPLACE FUNCTION lab_twice() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF pg_trigger_depth() = 1 THEN
                    INSERT INTO execution (vendor_type, vendor_id, status, trigger, end_time)
                    VALUES (NEW.vendor_type, NEW.vendor_id, 'Success', 'SCHEDULE', CURRENT_TIMESTAMP);
                END IF;
                RETURN NULL;
            END $$;
        CREATE OR REPLACE TRIGGER lab_twice AFTER INSERT ON execution
            FOR EACH ROW WHEN (NEW.trigger = 'SCHEDULE') EXECUTE FUNCTION lab_twice()"""
    )


def _restore(lab: Lab) -> None:
    lab.sql(
        """DROP TRIGGER IF EXISTS lab_twice ON execution; DROP FUNCTION IF EXISTS lab_twice();
        DELETE FROM execution e WHERE e.trigger = 'SCHEDULE'
            AND NOT EXISTS (SELECT 1 FROM task t WHERE t.execution_id = e.id)"""
    )


DEFECT = Defect(
    report="h#14683: the same schedule is triggered several times",
    shows="two garbage collections, replications, scans at once, each night",
    turns_red=frozenset({"failover.schedules-outlive-job-pod-kill", "jobs.schedules-fire"}),
    causes=frozenset({"jobs.schedules-fire"}),
    hint_says=("two Harbors share one Redis",),
    plant_outside=_double,
    heal_outside=_restore,
)
