"""What report.html tells of one disruption: its plot, its steps, its tables; drawn from a check's history.jsonl and
judgement.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harbor_verify.history import Event, History, Latency, NotAHistory, Operation, Outage, judged, read
from harbor_verify.history.judged import Judged
from harbor_verify.history.proportion import Proportion
from harbor_verify.history.pulse import PULSE
from harbor_verify.reports.errors import ReportError
from harbor_verify.reports.model import CheckResult

if TYPE_CHECKING:
    from harbor_verify.reports.plots.disruption import Plot

FILE = "history.jsonl"
MOST_LOST = 12
"""Operations without a good answer that are told one by one."""
TIMES = "\N{MULTIPLICATION SIGN}"
LARGEST_BYTES = 64 * 1024 * 1024

_STEPS = {
    "inject": "{subject}: injected",
    "proven": "{subject}: proven to have happened",
    "not-proven": "{subject}: could not be proven to have happened: {observed}",
    "responded": "{subject}: answered: {expected}",
    "not-responded": "{subject}: not answered in time ({expected}): {observed}",
    "response-unseen": "{subject}: it could not be seen whether {expected}: {observed}",
    "healed": "{subject}: healed",
    "not-healed": "{subject}: not whole again: {observed}",
    "confirming": "{subject}: what is refused is asked for again, for {span_s} s",
    "pod-created": "pod {pod} is made, as {replica}",
    "pod-ready": "pod {pod} ({replica}) is Ready",
    "pod-not-ready": "pod {pod} ({replica}) is no longer Ready",
    "pod-deleting": "pod {pod} ({replica}) is being deleted",
    "pod-deleted": "pod {pod} ({replica}) is gone",
    "endpoint-added": "Service {service} leads to {replica}",
    "endpoint-removed": "Service {service} leads to {replica} no more",
    "desired-changed": "{subject} is asked for {desired} replicas now, by an autoscaler or by somebody",
    "watch-lost": "the watch of {subject} is lost: what comes next may have come earlier",
    "watch-resumed": "the watch of {subject} goes on",
}
_NO_STEPS = ("watch-started", "watch-stopped", PULSE)


@dataclass(frozen=True)
class Step:
    """Something that happened, milliseconds after the first injection."""

    after_ms: float
    text: str


@dataclass(frozen=True)
class Others:
    """What clients did before or afterwards, in a sentence."""

    when: str
    text: str


@dataclass(frozen=True)
class ClientOutage:
    """An outage, and whose it was."""

    client: str
    outage: Outage


@dataclass(frozen=True)
class ClientProportion:
    """How much of what a client asked was answered well, and whose it was."""

    client: str
    proportion: Proportion


@dataclass
class DisruptionView:
    """Of one check. `no_plot_reason` says why there is no plot."""

    result: CheckResult
    plot: "Plot | None" = None
    clients: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    judged: bool = False
    """Whether checkers judged it; without, there are neither outages nor latency."""
    outages: list[ClientOutage] = field(default_factory=list)
    proportion: list[ClientProportion] = field(default_factory=list)
    """Of the clients that had bad answers."""
    latency: Mapping[str, Sequence[Latency]] = field(default_factory=dict)
    lost: list[Operation] = field(default_factory=list)
    lost_count: int = 0
    zero_s: float = 0.0
    others: list[Others] = field(default_factory=list)
    unreadable_count: int = 0
    no_plot_reason: str = ""


def view(result: CheckResult, folder: Path, *, name: str) -> DisruptionView | None:
    """The view of a check's history; None when it has none. `folder`: the run's. `name`: an id for the page."""
    file = folder / "checks" / result.id / FILE
    if not file.is_file():
        return None
    made = DisruptionView(result)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ReportError(f"it has more than {LARGEST_BYTES // 1024**2} MiB")
        history = read(file)
        verdicts = judged.read(beside) if (beside := file.with_name(judged.FILE)).is_file() else None
    except (NotAHistory, ReportError, OSError) as error:
        made.no_plot_reason = f"{FILE} cannot be drawn: {error}"
        return made
    if not history.disruptions():
        made.no_plot_reason = f"{FILE} tells of no disruption: nothing was broken"
        return made
    _fill(made, history, verdicts, name)
    return made


def _fill(made: DisruptionView, history: History, verdicts: Judged | None, name: str) -> None:
    begin_s, end_s = history.disrupted_s or (0.0, 0.0)
    made.zero_s = begin_s
    made.unreadable_count = history.unreadable
    made.clients = _at_work(history, begin_s, end_s)
    made.judged = verdicts is not None
    verdicts = verdicts or Judged()
    # Only here: what draws plots takes a second to import.
    from harbor_verify.reports.plots import disruption

    made.plot = disruption.draw(history, verdicts.outages, made.clients, name=name)
    made.steps = [
        Step((event.at_s - begin_s) * 1000, _step(event))
        for event in history.events
        if event.at_s >= begin_s and event.name not in _NO_STEPS
    ]
    made.outages = [
        ClientOutage(client, outage) for client in made.clients for outage in verdicts.outages.get(client, ())
    ]
    made.proportion = [
        ClientProportion(client, verdicts.proportion[client])
        for client in made.clients
        if client in verdicts.proportion and verdicts.proportion[client].bad_count
    ]
    made.latency = verdicts.latency
    lost = [op for op in history.operations if not op.ok]
    made.lost, made.lost_count = lost[:MOST_LOST], len(lost)
    rest = [op for op in history.operations if op.client not in set(made.clients)]
    for when, chosen in (
        ("before", [op for op in rest if op.begin_s < begin_s]),
        ("during", [op for op in rest if begin_s <= op.begin_s <= end_s]),
        ("afterwards", [op for op in rest if op.begin_s > end_s]),
    ):
        if chosen:
            made.others.append(Others(when, _summary(chosen)))


def _at_work(history: History, begin_s: float, end_s: float) -> list[str]:
    """Clients that were at work while something was broken; the front door's first, the rest by name."""
    clients = {op.client for op in history.operations if begin_s <= op.begin_s <= end_s}
    return sorted(clients, key=lambda client: ("front-door" not in client, client))


def _step(event: Event) -> str:
    given = {"subject": event.subject}
    given |= dict.fromkeys(("pod", "replica", "service", "expected", "observed", "span_s"), "?")
    given |= {key: str(value) for key, value in event.value.items()}
    given["subject"] = event.subject
    template = _STEPS.get(event.name)
    return template.format_map(given) if template else f"{event.subject}: {event.name.replace('-', ' ')}"


def _summary(operations: Sequence[Operation]) -> str:
    """`256 times session-probe at 4 places, all ok`, a part a kind."""
    kinds: dict[str, list[Operation]] = {}
    for op in operations:
        kinds.setdefault(op.kind, []).append(op)
    parts = []
    for kind, ops in kinds.items():
        lost = sum(not op.ok for op in ops)
        places = len({op.replica for op in ops})
        where = f"at {places} places" if places > 1 else f"at {ops[0].replica}"
        parts.append(f"{len(ops)} {TIMES} {kind} {where}, {f'{lost} not ok' if lost else 'all ok'}")
    return "; ".join(parts)
