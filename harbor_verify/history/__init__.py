"""What happened: every operation (invoke, then ok, fail or info) and every disruption, on one clock.

Pure but for files: the suite records and judges by it, reports draw from it. What an outage is, what became of pods and
how long answers took is worked out here, once, for both.
"""

from harbor_verify.errors import NotAHistory
from harbor_verify.history.model import (
    CONFIRMING,
    LONGEST_WAIT_MS,
    SESSIONS_LIVE,
    UNANSWERED_MS,
    Event,
    History,
    Operation,
    Outcome,
    uids_of,
)
from harbor_verify.history.outages import Outage, outages_of
from harbor_verify.history.phases import Latency
from harbor_verify.history.reader import read
from harbor_verify.history.recorder import Recorder, fingerprint

__all__ = [
    "CONFIRMING",
    "LONGEST_WAIT_MS",
    "SESSIONS_LIVE",
    "UNANSWERED_MS",
    "Event",
    "History",
    "Latency",
    "NotAHistory",
    "Operation",
    "Outage",
    "Outcome",
    "Recorder",
    "fingerprint",
    "outages_of",
    "read",
    "uids_of",
]
