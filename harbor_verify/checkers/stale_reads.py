"""Safety: what was acknowledged to a writer is what readers see, at once."""

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.writes import WRITE, acknowledged
from harbor_verify.history import History
from harbor_verify.verdict import Offender

STALE_READ = "StaleRead"
"""Error of a write that was acknowledged, and not seen by the read that followed it at another replica."""

UNREAD = "unread"
"""In the value of a write that was acknowledged: why the read that was to follow it came to nothing."""


def no_stale_read(history: History) -> Judgement:
    """Whoever reads after an acknowledged write sees it, at any replica, at any time.

    False: a read that missed the value of the write (kind value-write) before it. Unknown: no acknowledged write that
    was read.
    """
    writes = [op for op in history.operations if op.kind == WRITE]
    stale = [op for op in writes if op.error == STALE_READ]
    return Judgement(
        "no-stale-read",
        tuple(
            Offender(
                str(op.value.get("reader", "a replica")),
                f"sees the write that {op.replica} has just acknowledged ({op.value['value']})",
                "not there",
                tuple(filter(None, [str(op.value.get("reader_uid", ""))])),
            )
            for op in stale
        ),
        ()
        if any(acknowledged(op) and UNREAD not in op.value for op in writes)
        else ("no write was acknowledged and read",),
        measured={"stale_reads": len(stale)},
    )
