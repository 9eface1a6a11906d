"""Where a part of Harbor tells its metrics, and what they say.

Source: Prometheus, text exposition format.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from harbor_verify.model.addresses import is_loopback


@dataclass(frozen=True)
class MetricsEndpoint:
    """Where one program answers Prometheus. `listens_at`: the only address that it does so at; empty: at all it has."""

    port: int
    path: str
    always: tuple[str, ...] = ()
    """Names that are among its metrics from its start on."""
    requests: str = ""
    """The counter of all requests that it has answered, which is there after the first; empty: it has none."""
    tls: bool = False
    listens_at: str = ""
    oldest_s: int = 0
    """For how long it goes on telling what it has found out."""

    @property
    def is_local(self) -> bool:
        """Whether only the pod itself reaches it."""
        return is_loopback(self.listens_at)


class Metrics:
    """What one program told at one moment."""

    def __init__(self, samples: Iterable[tuple[str, dict[str, str], float]]) -> None:
        """`samples`: (name, labels, value)."""
        self._by_name: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for name, labels, value in samples:
            self._by_name[name].append((labels, value))

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def total(self, name: str) -> float:
        """The sum over all labels; 0 where there is none of that name."""
        return sum(value for _, value in self._by_name.get(name, ()))

    def by(self, label: str, name: str) -> dict[str, float]:
        """The values of one name by one of its labels; empty where there is none of that name."""
        return {labels.get(label, ""): value for labels, value in self._by_name.get(name, ())}


def metrics_of(text: str) -> Metrics:
    """Raises ValueError where it is something else than metrics, an empty text among that."""
    samples = [
        (sample.name, sample.labels, float(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    if not samples:
        raise ValueError("no metric is told")
    return Metrics(samples)


def full_name(*parts: str) -> str:
    """A metric's name of its namespace, its subsystem and its own, where they are not empty."""
    return "_".join(part for part in parts if part)
