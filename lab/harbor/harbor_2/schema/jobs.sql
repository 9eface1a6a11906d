-- Which queues of jobs somebody has paused, and the tasks of the two schedules that every Harbor has: a schedule's job is
-- known to jobservice by the id that its task has.
CREATE TABLE IF NOT EXISTS job_queue_status (
    id SERIAL PRIMARY KEY,
    job_type varchar(256) NOT NULL UNIQUE,
    paused boolean NOT NULL DEFAULT false,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS schedule_vendor ON schedule (vendor_type, vendor_id);
INSERT INTO task (execution_id, vendor_type, job_id, status, status_code)
    SELECT e.id, 'SCHEDULER', substr(md5(random()::text || e.id), 1, 24), 'Scheduled', 1
    FROM execution e JOIN schedule s ON s.id = e.vendor_id
    WHERE e.vendor_type = 'SCHEDULER' AND NOT EXISTS (SELECT 1 FROM task t WHERE t.execution_id = e.id)
    ORDER BY e.id;
