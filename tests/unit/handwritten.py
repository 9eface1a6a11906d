"""Short words to write histories by hand: times in milliseconds."""

from typing import Any

from harbor_verify.history import Event, History, Operation, Outcome

OUTCOMES = {"ok": Outcome.OK, "fail": Outcome.FAIL, "info": Outcome.INFO, None: None}
CLIENT = "login@front-door"


def op(start_ms: float, end_ms: float | None, outcome: str | None = "ok", **more: Any) -> Operation:
    """An operation of CLIENT, or of `client`; end and outcome None: it never ended."""
    client = more.pop("client", CLIENT)
    kind, _, replica = client.partition("@")
    return Operation(
        client,
        more.pop("kind", kind),
        more.pop("replica", replica),
        int(start_ms * 1e6),
        None if end_ms is None else int(end_ms * 1e6),
        OUTCOMES[outcome],
        **more,
    )


def event(at_ms: float, subject: str, name: str, **value: Any) -> Event:
    return Event(subject, name, int(at_ms * 1e6), value)


def disrupted(inject_ms: float, healed_ms: float | None, name: str = "fault", **value: Any) -> list[Event]:
    """A disruption that was proven a millisecond after it was injected."""
    events = [event(inject_ms, name, "inject", **value), event(inject_ms + 1, name, "proven")]
    return events + ([] if healed_ms is None else [event(healed_ms, name, "healed")])


def history(operations: list[Operation], events: list[Event], end_ms: float | None = None) -> History:
    in_order = sorted(events, key=lambda event: event.at_ns)
    return History(tuple(operations), tuple(in_order), None if end_ms is None else int(end_ms * 1e6))
