"""What can go wrong with reports."""


class ReportError(Exception):
    """A run or a file of it that cannot be had; one sentence says which and why."""
