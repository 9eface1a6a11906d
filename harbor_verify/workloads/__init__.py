"""What clients keep doing while something is broken, and the runner that makes them do it at a bounded rate."""

from harbor_verify.workloads.runner import Workers
from harbor_verify.workloads.work import InTurn, Result, Work, perform

__all__ = ["InTurn", "Result", "Work", "Workers", "perform"]
