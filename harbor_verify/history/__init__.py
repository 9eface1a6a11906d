"""What happened: every operation (invoke, then ok, fail or info) and every disruption, on one clock."""

from harbor_verify.history.model import LONGEST_WAIT_MS, Event, History, Operation, Outcome
from harbor_verify.history.reader import read
from harbor_verify.history.recorder import Recorder, fingerprint

__all__ = ["LONGEST_WAIT_MS", "Event", "History", "Operation", "Outcome", "Recorder", "fingerprint", "read"]
