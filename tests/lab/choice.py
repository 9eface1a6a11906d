"""What `make test` plants, and in which layout: little, so that it takes half an hour, but every area goes red.

All that is not named as red has to be green there: each layout that is named is so seen whole, too. `make matrix`
plants all defects, and tries every layout with nothing planted. tests/unit/test_choice_of_defects.py holds that no area
is left out.
"""

CHOSEN = {
    "harbor-1.2": {"registry-config-mounted-elsewhere": "reference"},
    "harbor-2": {
        "blob-truncated+robot-ends-soon+scanner-database-old+session-store-missing": "object-store",
        "dirty-migration+redis-is-a-cache+replication-fails+schedules-share-a-score": "ingress",
    },
}
"""By profile: defects, and the layout that each is planted in; of all others it is the reference."""

WITHOUT_A_DEFECT = {
    "failover.dns-loss": "a Harbor that asks DNS for each request needs what the stand-in is told by addresses; its "
    "budgets are judged by hand-written histories",
    "failover.node-pressure": "where one replica is all there is it is slow, and answers; its budgets are judged by "
    "hand-written histories",
    "failover.node-memory-pressure": "as failover.node-pressure",
    "failover.zone-loss": "as failover.node-loss, which builds on the same",
    "failover.file-system-restart": "the lab has one metadata server: what keeps it from coming back cannot be healed "
    "by the fault's own end; its budgets are judged by hand-written histories",
    "failover.object-store-restart": "the lab has one gateway, which is there again within a second",
    "failover.registry-network-slowness": "a registry that is slow for 20 s is waited for by every client that the lab "
    "has; its budgets are judged by hand-written histories",
    "failover.volume-full": "a registry that does not notice a refused write is none that the lab has; loss, outage "
    "and what fails on are judged in unit tests",
    "failover.web-network-loss": "one packet in ten is sent again in time, also where one replica is all there is",
    "images.as-many-listed-as-built": "a front door or registry that forgets a whole image turns all others red first",
    "images.clients-read-each-other": "asked for by its own command (make clients), doctored answers in unit tests",
    "images.conformance-same-on-every-replica": "asked for by its own command (make conformance), doctored reports in "
    "unit tests",
    "images.shared-base-uploaded-once": "a registry that forgets layers turns the others red first",
} | dict.fromkeys(
    (
        "images.builder-image-comes-back",
        "images.distribution-image-comes-back",
        "images.glibc-program-on-musl-fails-to-start",
        "images.multi-stage-holds-nothing-of-its-builder",
        "images.musl-program-comes-back",
        "images.static-program-comes-back",
    ),
    "asked for by its own command, and seen red in tests/lab/test_images.py",
)
"""Checks that no defect and no layout names, and why."""
