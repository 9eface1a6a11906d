"""What checkers found in a history, kept beside it as judgement.json: reports draw that, and judge nothing again.

{"schema": "harbor-verify/judgement/1",
 "judgements": [{"checker", "valid": true, false or "unknown", "offenders": [{"object", "expected", "observed"}],
                 "unknowns": [line, …], "measured": {name_with_unit: value}, "evidence": {…}, "flaws": [line, …]}]}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harbor_verify.errors import NotAHistory
from harbor_verify.history.outages import Outage
from harbor_verify.history.phases import Latency
from harbor_verify.history.proportion import Proportion

FILE = "judgement.json"
SCHEMA = "harbor-verify/judgement/1"
OUTAGES, LATENCY, PROPORTION = "longest-outage", "latency", "bad-answers"
"""The checkers whose evidence is drawn: `clients: {client: {outages: [Outage]}}`, `kinds: {kind: [Latency] * 3}` and
`clients: {client: Proportion}`.
"""


@dataclass(frozen=True)
class Judged:
    """What is drawn of the judgements of one history."""

    outages: Mapping[str, Sequence[Outage]] = field(default_factory=dict)
    """By client, in order of time."""
    latency: Mapping[str, Sequence[Latency]] = field(default_factory=dict)
    """Before, during and after the disruption, by kind of operation."""
    proportion: Mapping[str, Proportion] = field(default_factory=dict)
    """By client."""


def beside(history: Path) -> Path:
    """The file with what was judged by a history: judgement.json of history.jsonl, judgement-2.json of
    history-2.jsonl.
    """
    return history.with_name(history.name.replace("history", "judgement", 1)).with_suffix(".json")


def write(file: Path, judgements: Sequence[Mapping[str, Any]]) -> None:
    """Keep judgements, each in the form of this module's docstring. Raises OSError."""
    document = {"schema": SCHEMA, "judgements": list(judgements)}
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> Judged:
    """What was judged. Raises NotAHistory when the file holds something else, OSError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}, not {SCHEMA}")
        evidence = {each["checker"]: each["evidence"] for each in document["judgements"]}
        clients = evidence.get(OUTAGES, {}).get("clients", {})
        kinds = evidence.get(LATENCY, {}).get("kinds", {})
        return Judged(
            {client: [Outage(**each) for each in judged["outages"]] for client, judged in clients.items()},
            {kind: [Latency(**each) for each in phases] for kind, phases in kinds.items()},
            {
                client: Proportion(**each)
                for client, each in evidence.get(PROPORTION, {}).get("clients", {}).items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as malformed:
        raise NotAHistory(f"{file} holds no judgements: {malformed!r}") from malformed
