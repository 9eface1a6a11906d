"""How long answers took before, during and after a disruption: figures only, no verdict."""

from collections.abc import Collection
from dataclasses import asdict

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, phases
from harbor_verify.history.judged import LATENCY


def latency(history: History, *, clients: Collection[str]) -> Judgement:
    """Always true; its evidence has, by kind of operation, how long the ok ones of these clients took."""
    shown = [op for op in history.operations if op.client in set(clients)]
    disrupted_s = history.disrupted_s
    kinds = phases.by_kind(shown, disrupted_s) if disrupted_s else {}
    return Judgement(
        LATENCY, evidence={"kinds": {kind: [asdict(each) for each in cells] for kind, cells in kinds.items()}}
    )
