"""Making things in somebody's Harbor beside a run of the suites: under the Lease, in the ledger, removed at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harbor_verify import cleanup
from harbor_verify.belongings import Belongings
from harbor_verify.heal import heal
from harbor_verify.lease import NamespaceLease
from harbor_verify.ledger import Ledger
from harbor_verify.plugin.stop import Stop
from harbor_verify.redaction import Redaction
from harbor_verify.target import Target


@contextmanager
def making(
    target: Target, redaction: Redaction, run_id: str, left: list[str], *, tell: Callable[[str], None]
) -> Iterator[None]:
    """Within the block `target` has its belongings and its ledger; losing the Lease interrupts it.

    What could not be removed afterwards is added to `left`, a line each. Raises NamespaceBusy, LeaseLost,
    TargetUnreachable.
    """
    stop = Stop()
    lease = NamespaceLease(target.kubernetes, target.namespace, cleanup.holder(run_id), on_lost=stop.now)
    lease.acquire(tell=tell)
    try:
        target.ledger = ledger = Ledger(target.kubernetes, target.namespace, run_id, lease)
        target.belongings = Belongings(target, redaction, run_id, tell=tell)
        try:
            yield
        finally:
            stop.off()
            tell("removing what was made")
            lease.require_held()
            docker_host = target.access.docker_host
            done = heal(ledger, target.kubernetes, target.namespace, lambda: target, docker_host=docker_host)
            left += done.failed
    finally:
        lease.release()
