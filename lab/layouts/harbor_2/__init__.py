"""Layouts of Harbor 2.x."""
