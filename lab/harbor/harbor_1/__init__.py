"""The programs of Harbor 1.2: ui, adminserver and jobservice."""
