"""Which defects `make test` plants: few, so that it takes half an hour, and enough that every area goes red.

`make matrix` plants them all. tests/unit/test_choice_of_defects.py holds that no area is left out.
"""

CHOSEN = {
    "harbor-1.2": ("registry-config-mounted-elsewhere",),
    "harbor-2": ("dirty-migration", "registry-outside-the-volume", "session-store-missing"),
}
"""Names of defects by profile."""
CHOSEN_LAYOUTS = ()
"""Names of layouts."""
