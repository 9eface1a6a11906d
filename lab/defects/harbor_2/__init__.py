"""Defects of Harbor 2.x."""
