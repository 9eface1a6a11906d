"""A run from its beginning to its end: settings, target, Lease, what a killed run left, and the report.

All of it happens only when checks were collected: `pytest tests` needs no Harbor.
"""

import importlib.util
import secrets
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harbor_verify import cleanup, clock, entry, known_secrets, providers
from harbor_verify.belongings import Belongings
from harbor_verify.checks import Check, check_of
from harbor_verify.description import describe
from harbor_verify.errors import (
    DeadlinePassed,
    HarnessError,
    LeaseLost,
    RightMissing,
    SettingsError,
    TargetUnreachable,
)
from harbor_verify.evidence import Collector
from harbor_verify.facts import Facts, overridden
from harbor_verify.facts.gathering import facts_of
from harbor_verify.facts.words import words_of
from harbor_verify.heal import Healed, heal
from harbor_verify.lease import NamespaceLease
from harbor_verify.ledger import NAME as LEDGER
from harbor_verify.ledger import Ledger
from harbor_verify.model.roles import Role
from harbor_verify.model.words import Words
from harbor_verify.plugin.options import settings_of
from harbor_verify.plugin.stop import Stop
from harbor_verify.plugin.terminal import shower, teller
from harbor_verify.redaction import Redaction
from harbor_verify.reports import folder
from harbor_verify.reports.model import CheckResult, Run, Verdict
from harbor_verify.reports.terminal import render
from harbor_verify.settings import Settings
from harbor_verify.surroundings import clocks_ahead, surroundings
from harbor_verify.target import Target, reach
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.pace import push_share_bytes


@dataclass
class State:
    """What a run carries with it."""

    settings: Settings
    target: Target
    lease: NamespaceLease
    report: Run
    folder: Path
    facts: Facts
    words: Words
    """What hints are told in."""
    redaction: Redaction
    """What everything that is written goes through."""
    collector: Collector
    stop: Stop
    seed: int = 0
    """From which the replicas and nodes are drawn that are hit."""
    unhealed: list[str] = field(default_factory=list)
    """What was broken on purpose and could not be mended; nothing more is broken then."""


_SEEDS = 10**6
KEY = pytest.StashKey[State]()
MARKERS = (
    "check(id): a check of Harbor, made by harbor_verify.checks.check",
    "extended: breaks more than a pod: programs, networks, workloads, nodes, stores; or wants clients beside docker",
    'builds: builds images, which takes minutes; -m "not builds" leaves it out',
    'disruption: breaks something on purpose; -m "not disruption" leaves it out',
)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever breaks things runs last: the other checks then see Harbor as it was found."""
    items.sort(key=_breaks_things)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    checks = [check for item in session.items if (check := check_of(item))]
    if not checks or session.config.option.collectonly or session.config.option.preflight:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    try:
        # A lab that is being stood up says for a minute what it is doing: that is to be seen.
        with capture.global_and_fixture_disabled():
            state = session.config.stash[KEY] = _begin(session.config, [check.id for check in checks])
    except HarnessError as error:
        raise pytest.UsageError(Redaction().text(str(error))) from error
    _leave_out_what_does_not_apply(session, state)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    state = config.stash.get(KEY, None)
    return [*state.report.target, f"report: {state.folder}", ""] if state else []


def pytest_runtest_setup(item: pytest.Item) -> None:
    if check_of(item):
        item.config.stash[KEY].lease.require_held()


def pytest_runtest_teardown(item: pytest.Item) -> None:
    state = item.config.stash.get(KEY, None)
    if state is not None and state.stop.reason:
        item.session.shouldstop = state.stop.reason


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """After pytest has torn its fixtures down, also after Ctrl-C, and whatever that raised."""
    state = session.config.stash.get(KEY, None)
    if state is None:
        return (yield)
    try:
        return (yield)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - it is told, and the rest is done
        state.report.left_behind.append(state.redaction.text(f"a fixture was not torn down: {error!r}"))
        return None
    finally:
        _end(session, state)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    state = config.stash.get(KEY, None)
    if state is not None:
        writer = config.get_terminal_writer()
        terminalreporter.write(render(state.report, width=writer.fullwidth, colour=writer.hasmarkup))
        terminalreporter.write_line(f"report: {state.folder}")


@pytest.fixture(scope="session")
def run_state(pytestconfig: pytest.Config) -> State:
    """The run as a whole; for the fixtures of this folder."""
    return pytestconfig.stash[KEY]


def _begin(config: pytest.Config, selected: list[str]) -> State:
    settings = settings_of(config)
    started = datetime.now(UTC)
    run_id = cleanup.new_run_id(started)
    access = providers.provide(settings)
    target = reach(access, settings)
    settings = target.settings
    try:
        entry.require(target)
    except HarnessError:
        target.close()
        raise
    redaction = Redaction(known_secrets.of_credentials(target.credentials))
    clocks = clock.correct(clocks_ahead(target))
    facts = find_facts(target, settings)
    seed = secrets.randbelow(_SEEDS) if settings.seed is None else settings.seed
    target_lines = describe(target, facts)
    for why in known_secrets.learn(redaction, target.deployment):
        target_lines.append(f"  some secrets are known by what they look like only: {why}")
    target_lines += [f"  {clocks}"] if clocks else []
    target_lines.append(f"  seed {seed}: what is hit is drawn from it (--seed {seed} hits the same again)")
    if any(id.startswith("failover.") for id in selected):
        share_mib = round(push_share_bytes(settings.push_mib, selected, settings.repeat) / 2**20, 1)
        target_lines.append(
            f"  clients at work push {settings.push_mib} MiB at most in all (--push-mib), {share_mib:g} MiB each "
            "time that something is broken; the images are removed at the end, and their bytes by Harbor's next "
            "garbage collection"
        )
    stop = Stop()
    holder = cleanup.holder(run_id)
    lease = NamespaceLease(access.kubernetes, access.namespace, holder, on_lost=stop.now)
    lease.acquire(tell=_line_teller(config))
    target.ledger = ledger = Ledger(access.kubernetes, access.namespace, run_id, lease)
    try:
        if settings.max_duration is not None:
            stop.after(settings.max_duration, f"its --max-duration of {settings.max_duration:g} s has passed")
        report = Run(
            id=run_id,
            started=started,
            provider=access.provider,
            url=redaction.text(target.url),
            namespace=access.namespace,
            profile=target.deployment.profile.name,
            target=[redaction.text(line) for line in target_lines],
            selected=selected,
            strict=settings.strict_advice,
            environment=redaction.structure(surroundings(target, settings, facts)),
        )
        target.belongings = Belongings(
            target, redaction, run_id, tell=lambda line: report.target.append(f"  {redaction.text(line)}")
        )
        report.target += map(redaction.text, _heal_leftovers(target, ledger))
        place = _make_folder(config.rootpath / settings.report_dir, started)
    except BaseException:
        stop.off()
        lease.release()
        raise
    collector = Collector(target.deployment, redaction, timeouts_s=settings.timeouts_s)
    words = words_of(target.profile.words, facts)
    return State(settings, target, lease, report, place, facts, words, redaction, collector, stop, seed)


def _end(session: pytest.Session, state: State) -> None:
    """Report, undo what stands in the ledger, give the Lease back, report again: each whatever the others raise."""
    state.stop.off()
    report = state.report
    report.stopped = state.redaction.text(state.stop.reason)
    if session.exitstatus == pytest.ExitCode.INTERRUPTED and not report.stopped:
        report.stopped = "it was interrupted"
    _finish(session, report)
    # Before anything is undone: that may take long, and may be killed.
    _attempt(lambda: folder.write_data(report, state.folder), report.notes, state.redaction)
    healed = Healed()
    if state.target.ledger.entries():
        teller(session.config)("removing what this run made")
    _attempt(
        lambda: healed.failed.extend(_undo(state, shower(session.config))), healed.failed, state.redaction
    )
    _attempt(state.lease.release, healed.failed, state.redaction)
    _attempt(state.target.close, healed.failed, state.redaction)
    report.left_behind += map(state.redaction.text, healed.failed)
    if report.left_behind and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    _finish(session, report)
    if file := state.settings.metrics_file:
        _attempt(lambda: _write_metrics(report, file), report.notes, state.redaction)
    if url := state.settings.otlp_endpoint:
        _attempt(lambda: _send_spans(report, str(url)), report.notes, state.redaction)
    _attempt(lambda: folder.write(report, state.folder), report.notes, state.redaction)


def _write_metrics(report: Run, file: Path) -> None:
    # Only here: most runs do without.
    from harbor_verify.reports import metrics_file

    metrics_file.write(report, file)


def _send_spans(report: Run, endpoint: str) -> None:
    if importlib.util.find_spec("opentelemetry") is None:
        report.notes.append("no spans are sent: that needs pip install 'harbor-verify[otlp]'")
        return
    from harbor_verify.reports import spans

    spans.send(report, endpoint)


def _finish(session: pytest.Session, report: Run) -> None:
    report.finished, report.exit_code = datetime.now(UTC), int(session.exitstatus)


def _undo(state: State, show: Callable[[str], None]) -> list[str]:
    """What could not be undone, a line each. Raises TargetUnreachable."""
    try:
        state.lease.require_held()
    except LeaseLost as lost:
        return [f"{lost}; what this run made stands in ConfigMap {LEDGER}"]
    target = state.target
    _await_api_server(state)
    try:
        done = heal(
            target.ledger,
            target.kubernetes,
            target.namespace,
            lambda: target,
            docker_host=target.access.docker_host,
            tell=lambda line: show(f"removing what this run made: {line}"),
        )
    finally:
        show("")
    return done.failed


def _await_api_server(state: State) -> None:
    """One that restarts just now is waited for: what the run made would stay. For `request_timeout_s` at most."""

    def read() -> None:
        try:
            state.target.ledger.read()
        except RightMissing:
            return
        except TargetUnreachable as silent:
            raise NotYet(str(silent)) from silent

    timeout_s = state.settings.request_timeout_s
    with suppress(DeadlinePassed):
        wait_until(
            "the API server answers", read, deadline="request_timeout_s", timeout_s=timeout_s, interval_s=0.5
        )


def _attempt(do: Callable[[], object], failed: list[str], redaction: Redaction) -> None:
    """What keeps it from being done is told in `failed`, and stops nothing."""
    try:
        do()
    except KeyboardInterrupt:
        failed.append(f"interrupted: what was not undone yet stands in ConfigMap {LEDGER}")
    except Exception as error:  # noqa: BLE001 - whatever it is
        told = str(error) if isinstance(error, HarnessError | OSError) else repr(error)
        failed.append(redaction.text(" ".join(told.split())))


def _line_teller(config: pytest.Config) -> Callable[[str], None]:
    """Writes a line on the terminal; for when pytest's capture is off."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return reporter.write_line if reporter else lambda text: None


def find_facts(target: Target, settings: Settings) -> Facts:
    """What the deployment is, with what the settings say otherwise. Raises SettingsError."""
    return overridden(facts_of(target), settings.facts)


def _leave_out_what_does_not_apply(session: pytest.Session, state: State) -> None:
    """Take out the checks that are about something which this generation of Harbor has not; the report says so once."""
    profile, left_out = state.target.profile, []
    for item in session.items:
        check = check_of(item)
        if check and (lacking := check.lacking(state.facts.present)):
            unknown = check.lacking(profile.present)
            lacked = ", no ".join(_LACKED.get(each, each) for each in unknown or lacking)
            reason = f"{profile.name if unknown else 'this deployment'} has no {lacked}"
            state.report.results.append(_not_applicable(check, state.words, reason))
            left_out.append(item)
    if left_out:
        session.config.hook.pytest_deselected(items=left_out)
        session.items[:] = [item for item in session.items if item not in left_out]


_LACKED: dict[str, str] = {Role.FRONT_DOOR: "proxy of its own (nginx) that clients come by"}
"""What is lacking, where its name alone would be misunderstood: an Ingress is a front door, too."""


def _not_applicable(check: Check, words: Words, reason: str) -> CheckResult:
    return CheckResult(
        id=check.id,
        area=check.area,
        claim=check.claim,
        hint=words.fill(check.hint),
        source=check.source,
        verdict=Verdict.NOT_APPLICABLE,
        started=datetime.now(UTC),
        duration_s=0,
        message=reason,
        severity=check.severity,
        builds_on=check.builds_on,
    )


def _make_folder(directory: Path, started: datetime) -> Path:
    try:
        return folder.make(directory, started)
    except OSError as error:
        raise SettingsError(
            f"--report-dir: no folder for this run can be made in {directory}: {error}"
        ) from error


def _heal_leftovers(target: Target, ledger: Ledger) -> list[str]:
    """What was done about what killed runs left, a line each. A Harbor that refuses is for the checks to judge."""
    try:
        healed = heal(
            ledger,
            target.kubernetes,
            target.namespace,
            lambda: target,
            docker_host=target.access.docker_host,
        )
    except TargetUnreachable as error:
        return [f"  could not look for what an earlier run left: {error}"]
    return [f"  {line}" for line in healed.done] + [
        f"  could not be undone: {line}" for line in healed.failed
    ]


def _breaks_things(item: pytest.Item) -> bool:
    check = check_of(item)
    return check is not None and "disruption" in check.needs
