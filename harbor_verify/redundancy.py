"""Whether a store of Harbor's goes on when one server is lost: as the cluster shows it and as it says itself.

The cluster says what will ever be behind a name, the store whether those servers have the same data. Either
alone would pass what stands on one: two proxies before one server, two servers without a link.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from harbor_verify.errors import CannotTell, NeedMissing
from harbor_verify.facts.model import Fact, StorePlace
from harbor_verify.findings import Findings
from harbor_verify.model.backing import Backing
from harbor_verify.model.stores import Redundancy
from harbor_verify.target import Target
from harbor_verify.waiting import once_converged

EXPECTED = "another server has its data, and can go on when this one is lost"


def examine_servers(
    target: Target,
    findings: Findings,
    *,
    store: str,
    host: str | None,
    ask: Callable[[], Redundancy],
    place: Fact[Any],
    not_applicable: Callable[[str], NoReturn],
) -> None:
    """Find out whether `store` stands on more than one server.

    `host` is what Harbor is told; None where Sentinels say where the store is. `ask` asks the store; it is
    not called when the cluster has told enough. `place` is the fact of where the store is.
    Raises NeedMissing where a right, or a way to the store, is missing, and whatever `ask` raises.
    """
    backing, hidden = _look(target, host) if host else (None, None)
    if backing is not None and (alone := backing.alone):
        with findings.about(alone.object, EXPECTED) as server:
            server.wrong(backing.why_alone)
        return
    told = ask()
    managed = told.managed or (place.source if place.value is StorePlace.MANAGED else "")
    if told.survives is not True and managed:
        not_applicable(
            f"{store} is a service that somebody else runs, as is known by {managed}. It shows no other "
            f"server to Harbor's user ({told.seen}), so whether there is one was NOT verified: see what was "
            "ordered there"
        )
    with findings.about(store, EXPECTED) as servers:
        if told.survives is False:
            servers.wrong(told.seen + _of_several(backing))
        elif hidden is not None:
            raise hidden
        elif told.survives is None:
            servers.unknown(told.seen)


def once_two_answer(what: str, look: Callable[[], Backing], *, timeout_s: float) -> Backing:
    """What `look` finds; where a second pod may be starting (its node was drained, its workload is rolled out) it looks
    again. Raises what that does.
    """
    return once_converged(
        f"{what} leads to two Ready pods",
        look,
        lambda seen: len(seen.ready) > 1 or len(seen.pods) < 2,
        timeout_s=timeout_s,
    )


def _look(target: Target, host: str) -> tuple[Backing | None, CannotTell | NeedMissing | None]:
    """What a host leads to, or why that cannot be said: the store may be asked all the same."""
    try:
        return target.backing(host), None
    except (CannotTell, NeedMissing) as hidden:
        return None, hidden


def _of_several(backing: Backing | None) -> str:
    if backing is None or not backing.in_cluster:
        return ""
    if len(backing.pods) > 1:
        return (
            f"; the {len(backing.pods)} pods behind {backing.way[-1]} ({backing}) are separate stores, or "
            "lead to one server"
        )
    return f"; {backing.way[-1]} leads to {backing}"
