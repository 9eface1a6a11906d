"""Clients at work while somebody upgrades: they push, pull, sign in and stay signed in, and what they saw is judged.

It is what experiments do (harbor_verify/failover.py), with somebody else's hand: what is made stands in the ledger,
under the Lease, and is removed at the end.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harbor_verify import cleanup
from harbor_verify.baseline.judgement import Level, Said
from harbor_verify.disruptions.elsewhere import Elsewhere
from harbor_verify.errors import SettingsError
from harbor_verify.failover import Experiment
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.redaction import Redaction
from harbor_verify.survival import Budgets, Survival
from harbor_verify.target import Target
from harbor_verify.under_lease import making

HISTORY = "history.jsonl"
_LOSSES = frozenset(
    {"no-account-lost", "no-write-lost", "no-acknowledged-push-lost", "no-wrong-content", "no-session-lost"}
)
"""Checkers whose offenders are lost for good; of the others clients were kept waiting."""
_LOST = "What Harbor had acknowledged is gone: see whether the database failed over, or was restored"
_HINTS = {
    "no-account-lost": _LOST,
    "no-session-lost": "People were signed out: was Redis replaced or emptied, or is another one used now?",
    "no-write-lost": _LOST,
    "no-acknowledged-push-lost": "An image that was acknowledged cannot be pulled: run `harbor-verify audit`",
}
_HINT = "Clients noticed the upgrade: docs/hardening.md says what makes a rollout seamless; the history has it all"


def watch(
    target: Target, folder: Path, redaction: Redaction, *, for_s: float, tell: Callable[[str], None]
) -> tuple[Survival, list[str]]:
    """Keep clients at work for so long, or until Ctrl-C; the history goes to the folder.

    Returns what was seen, and what of it could not be removed. Raises Failure where a client does not get what it
    wants before anything begins, NamespaceBusy, LeaseLost, SettingsError.
    """
    try:
        folder.mkdir(exist_ok=True)
        (folder / HISTORY).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be made: {error}") from error
    run_id = cleanup.new_run_id(datetime.now(UTC))
    left: list[str] = []
    with (
        making(target, redaction, run_id, left, tell=tell),
        Recorder(folder / HISTORY, run=run_id) as recorder,
    ):
        survival = _experiment(target, recorder, run_id, for_s, tell)
    return survival, left


def said(survival: Survival) -> Iterator[tuple[str, Said]]:
    """(thing, what is said of it), of what clients saw."""
    for judgement in survival.judgements:
        for offender in judgement.offenders:
            level = Level.BROKEN if judgement.checker in _LOSSES else Level.SUSPICIOUS
            observed = f"{offender.observed} (expected: {offender.expected})"
            yield offender.object, Said(level, observed, _HINTS.get(judgement.checker, _HINT))


def unknown(survival: Survival) -> Iterator[tuple[str, str]]:
    """(checker, why), of what could not be found out."""
    for judgement in survival.judgements:
        for why in judgement.unknowns:
            yield judgement.checker, why
    if survival.error:
        yield "upgrade", str(survival.error)


def figures(survival: Survival) -> str:
    """What was measured, as a sentence."""
    told = ", ".join(f"{name} {value:g}" for name, value in sorted(survival.measured.items()))
    return f"what clients saw during the upgrade: {told}"


def _experiment(
    target: Target, recorder: Recorder, run_id: str, for_s: float, tell: Callable[[str], None]
) -> Survival:
    images, written = target.belongings.project(), target.belongings.project("-w")
    experiment = Experiment(
        target, recorder, target.settings, tell, project=images, written=written, run_id=run_id
    )
    # Any replica may be replaced: who speaks to one alone sees it go, and proves nothing.
    roles = {Role.WEB, Role.REGISTRY, target.profile.registry_api}
    victims = {replica.name for role in roles for replica in target.replicas(role)}
    settings = target.settings
    over = threading.Event()
    upgrade = Elsewhere(
        recorder,
        target.deployment,
        for_s=for_s,
        converge_timeout_s=settings.converge_timeout_s,
        over=over,
    )
    tell(f"upgrade now: clients are at work for {for_s:g} s, or until Ctrl-C")
    with _interrupt_sets(over):
        return experiment.run(
            upgrade, Budgets(settings.outage_budget_ms, settings.failed_requests_budget), victims=victims
        )


@contextmanager
def _interrupt_sets(over: threading.Event) -> Iterator[None]:
    """The first Ctrl-C says that the upgrade is over; a second one interrupts."""

    def first(*_: object) -> None:
        over.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
