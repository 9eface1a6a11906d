"""A replication rule has a schedule and fails, run after run."""

from lab.defects import Defect, Lab, proxy_caches

_RULE = "lab-rule"


def _plant(lab: Lab) -> None:
    _heal(lab)
    proxy_caches.add_registry(lab, "healthy")
    lab.sql(
        f"""INSERT INTO replication_policy (name, dest_registry_id, trigger, creation_time, update_time)
            SELECT '{_RULE}', id, '{{"type": "scheduled", "trigger_settings": {{"cron": "0 0 * * * *"}}}}',
                now() AT TIME ZONE 'utc' - interval '3 hours', now() AT TIME ZONE 'utc' - interval '3 hours'
            FROM registry WHERE name = '{proxy_caches.REGISTRY}';
        INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time, end_time, status_message)
            SELECT 'REPLICATION', id, 'Error', 'SCHEDULE', date_trunc('hour', now() AT TIME ZONE 'utc'),
                date_trunc('hour', now() AT TIME ZONE 'utc') + interval '3 seconds', 'unauthorized'
            FROM replication_policy WHERE name = '{_RULE}'"""
    )


def _heal(lab: Lab) -> None:
    lab.sql(
        f"""DELETE FROM execution WHERE vendor_type = 'REPLICATION'
            AND vendor_id IN (SELECT id FROM replication_policy WHERE name = '{_RULE}');
        DELETE FROM replication_policy WHERE name = '{_RULE}'"""
    )
    proxy_caches.remove_registry(lab)


DEFECT = Defect(
    report="none is known; Harbor: replication/executions, status Failed",
    shows="images of the last days are not where they are looked for after a disaster",
    turns_red=frozenset({"replication.rules-run"}),
    applicable=frozenset({"configuration.stored-passwords-readable", "replication.endpoints-reachable"}),
    hint_says=("Replications",),
    takes=frozenset({proxy_caches.REGISTRY}),
    plant_outside=_plant,
    heal_outside=_heal,
)
