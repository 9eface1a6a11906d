"""Ledgers for tests that are about something else: nothing is sent anywhere."""

from harbor_verify.ledger import Ledger


class MemoryLedger(Ledger):
    """Keeps its entries to itself. `log` has all that was ever written down, as (act, kind, name)."""

    def __init__(self, run_id="run"):
        super().__init__(None, "harbor", run_id, None)
        self.log = []

    def read(self):
        return self.entries()

    def close(self):
        pass

    def _put(self, entry):
        self.log.append((entry.act, entry.kind, entry.name))
        return super()._put(entry)

    def _write(self, changes):
        pass
