"""What the checks need and whether it is there: told before a run, and alone with --preflight."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from harbor_verify.checks import NEEDS, Check, check_of
from harbor_verify.errors import HarnessError
from harbor_verify.plugin import run
from harbor_verify.plugin.needs import NotOwed, Probed, reason_of
from harbor_verify.plugin.options import settings_of
from harbor_verify.plugin.run import KEY
from harbor_verify.redaction import Redaction

_SHOWN = 3
"""How many checks are named in the line before a run; --preflight names all."""
_MISSING = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Need:
    """What some checks need. `reason` says why it is not there; empty: it is."""

    name: str
    reason: str
    checks: tuple[str, ...]

    def lines(self, *, all_checks: bool) -> list[str]:
        """As a person reads it."""
        if not self.reason:
            return [f"  yes  {NEEDS[self.name]}"]
        state = "not applicable" if isinstance(self.reason, NotOwed) else "blocked"
        count = f"{len(self.checks)} check{'' if len(self.checks) == 1 else 's'}"
        shown = self.checks if all_checks else self.checks[:_SHOWN]
        more = f", and {len(self.checks) - len(shown)} more" if len(self.checks) > len(shown) else ""
        return [
            f"  no   {NEEDS[self.name]}: {self.reason}",
            f"       {count} {state}: {', '.join(shown)}{more}",
        ]


def needs_of(checks: list[Check], reason: Callable[[str], str]) -> list[Need]:
    """What these checks need, what is missing first; `reason` says why a need is not met, empty when it is."""
    names = sorted({need for check in checks for need in check.needs})
    needs = [Need(name, reason(name), tuple(c.id for c in checks if name in c.needs)) for name in names]
    return sorted(needs, key=lambda need: not need.reason)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    checks = [check for item in session.items if (check := check_of(item))]
    if not checks or not session.config.option.preflight or session.config.option.collectonly:
        return
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    try:
        lines = _alone(session.config, checks)
    except HarnessError as error:
        raise pytest.UsageError(Redaction().text(str(error))) from error
    session.items.clear()
    if reporter is not None:
        reporter.write_line("\n".join(lines))


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Before a run: what is missing, and what that costs."""
    if config.stash.get(KEY, None) is None:
        return []
    checks = [check for item in items if (check := check_of(item))]
    missing = [need for need in needs_of(checks, lambda name: _reason(config, name)) if need.reason]
    if not missing:
        return []
    return ["Missing here:", *(line for need in missing for line in need.lines(all_checks=False)), ""]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing was run, which is what was asked for."""
    if _MISSING in session.config.stash:
        strict = settings_of(session.config).strict_skips
        session.exitstatus = int(strict and session.config.stash[_MISSING])


def _alone(config: pytest.Config, checks: list[Check]) -> list[str]:
    settings = settings_of(config)
    target = run.reach(run.providers.provide(settings), settings)
    with closing(target):
        facts = run.find_facts(target, settings)
        lacking = [check for check in checks if check.lacking(facts.present)]
        asked = [check for check in checks if check not in lacking]
        state = SimpleNamespace(target=target, settings=settings)
        needs = needs_of(asked, lambda name: _reason(config, name, state))
        unmet = {id for need in needs if need.reason for id in need.checks}
        elsewhere_only = {id for need in needs if isinstance(need.reason, NotOwed) for id in need.checks}
        blocked = unmet - elsewhere_only
        config.stash[_MISSING] = bool(blocked)
        made, elsewhere = len(asked) - len(unmet), len(lacking) + len(unmet - blocked)
        return [
            *run.describe(target, facts),
            "",
            f"Preflight: what {len(asked)} checks need",
            *(line for need in needs for line in need.lines(all_checks=True)),
            "",
            f"{made} checks can be made; {len(blocked)} are blocked; {elsewhere} are not applicable.",
        ]


def _reason(config: pytest.Config, need: str, state: Probed | None = None) -> str:
    try:
        return reason_of(config, need, state)
    except HarnessError as error:
        return f"could not be found out: {error}"
