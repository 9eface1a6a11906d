"""What `make test` plants, and in which layout: little, so that it takes half an hour, but every area goes red.

All that is not named as red has to be green there: each layout that is named is so seen whole, too. `make matrix`
plants all defects, and tries every layout with nothing planted. tests/unit/test_choice_of_defects.py holds that no area
is left out.
"""

CHOSEN = {
    "harbor-1.2": {"registry-config-mounted-elsewhere": "reference"},
    "harbor-2": {
        "blob-truncated+replication-fails+session-store-missing": "reference",
        "dirty-migration+job-never-ends+redis-is-a-cache+robot-ends-soon+scanner-database-old": "object-store",
        "registry-outside-the-volume": "ingress",
    },
}
"""By profile: defects, and the layout that each is planted in; of all others it is the reference."""
