"""What clients go through while something is broken: they sign in, stay signed in, push and pull, look at the page
and write through the API, at the front door and on every replica that is not itself broken.
"""

import secrets
import sys
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial

from harbor_verify.afterwards import Afterwards
from harbor_verify.at_work import ClientsAtWork, Tried
from harbor_verify.checkers.accounts import no_account_lost
from harbor_verify.checkers.catalogue import no_push_missing_in_catalogue
from harbor_verify.checkers.failed_requests import failed_requests
from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.latency import latency
from harbor_verify.checkers.outage import longest_outage
from harbor_verify.checkers.proportion import bad_answers
from harbor_verify.checkers.pulse import pulse
from harbor_verify.checkers.pushes import no_acknowledged_push_lost, no_wrong_content
from harbor_verify.checkers.recovery import recovery
from harbor_verify.checkers.response import response
from harbor_verify.checkers.served_again import served_again
from harbor_verify.checkers.sessions import no_session_lost
from harbor_verify.checkers.stale_reads import no_stale_read
from harbor_verify.checkers.whole_again import whole_again
from harbor_verify.checkers.writes import no_write_lost
from harbor_verify.cleanup import VALUES
from harbor_verify.clients.harbor import Credentials, Harbor, Project
from harbor_verify.clients.image import Image
from harbor_verify.disruptions.base import Disruption
from harbor_verify.errors import (
    AnswerError,
    DeadlinePassed,
    HarnessError,
    HealFailed,
    LeaseLost,
    OutageTooLong,
    RightMissing,
    TargetUnreachable,
    UnexpectedAnswer,
)
from harbor_verify.history import SESSIONS_LIVE, Recorder, judged
from harbor_verify.history.cut_off import unasked_while_cut_off
from harbor_verify.kept_connections import kept_connections, kept_to_hung
from harbor_verify.ledger import Entry
from harbor_verify.live import Live
from harbor_verify.load.plan import Plan
from harbor_verify.load.process import Load, require_locust
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from harbor_verify.side_by_side import side_by_side
from harbor_verify.survival import Budgets, Survival
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender
from harbor_verify.waiting import as_long_as
from harbor_verify.ways import FRONT_DOOR, Ways
from harbor_verify.workloads import Work, Workers
from harbor_verify.workloads.images import Connect, ManifestPull, Pull, Push, Pushed
from harbor_verify.workloads.pace import PushAllowance, rate_per_s, turns_between_logins
from harbor_verify.workloads.pages import PageView
from harbor_verify.workloads.pulse import Pulse
from harbor_verify.workloads.sessions import Login, SessionProbe
from harbor_verify.workloads.until_served import TRIES, try_before
from harbor_verify.workloads.values import ValueWrite, erase

CLIENTS_AT_WORK = (
    "configuration.components-replicated",
    "configuration.session-store-configured",
    "configuration.csrf-key-same-on-every-replica",
    "configuration.registry-root-inside-volume",
    "configuration.registry-trusts-token-key",
    "sessions.known-to-every-replica",
    "registry.pushed-on-one-pulled-on-every",
)
"""Ids of the checks of what clients do during each disruption: what fails without one explains what fails in one."""
LARGE_BYTES = 2**20
"""A layer that takes more than one packet, and longer than a blink."""
_ERASERS_COUNT = 4
_NO_LIMIT = sys.maxsize
_NOT_ALLOWED = (401, 403)


class Experiment:
    """Something is broken among clients at work, and what they saw is judged: `run`.

    Clients are at the front door and at the web and registry replicas that are not to be broken: who speaks to a dying
    pod alone sees it die, and proves nothing.
    """

    def __init__(
        self,
        target: Target,
        recorder: Recorder,
        settings: Settings,
        tell: Callable[[str], None],
        *,
        project: str,
        written: str,
        run_id: str,
        show: Callable[[str], None] = lambda text: None,
        stop_run: Callable[[str], None] = lambda reason: None,
        most_bytes: int | None = None,
    ) -> None:
        """`project` is where images go, `written` a project that nobody else changes; `most_bytes` are pushed each
        time (None: what the setting `push_mib` allows a run).

        `tell` says on the terminal where it has come to, `show` how it goes, in a line that comes and goes;
        `stop_run` ends the run after this check.
        """
        self._target, self._recorder, self._settings = target, recorder, settings
        self._tell, self._show, self._stop_run = tell, show, stop_run
        self._project, self._written, self._run_id = project, written, run_id
        self._mark = secrets.token_hex(2)
        self._most_bytes = settings.push_mib * 2**20 if most_bytes is None else most_bytes
        # Equal shares: large images are to leave the small ones room to be new until the end.
        shares = 3 if settings.load else 2
        self._small, self._large = (PushAllowance(self._most_bytes // shares) for _ in range(2))

    def run(self, disruption: Disruption, budgets: Budgets, *, victims: Collection[str] = ()) -> Survival:
        """Do it; afterwards try every session, every pushed image, its listing and the last write everywhere.

        `victims` are the replicas, by name, that nobody is to speak to alone. Raises Failure when a client does not get
        what it wants before anything is broken; HarnessError when something keeps us from finding out.
        """
        settings = self._settings
        if settings.load:
            require_locust()
        # One that is kept to a proxy that dies ends unheard: who has its port next may be led to where nobody is.
        self._target.front_door.close()
        with ExitStack() as stack:
            ways = Ways(self._target, settings, stack, self._target.belongings.machine(self._project))
            at_work = self._gather(stack, ways, victims, budgets)
            self._note_how_long_sessions_live(ways)
            rate = rate_per_s(len(at_work.clients), budgets.outage_ms, settings.operations_per_s)
            self._require_each_works(at_work)
            afterwards = Afterwards(
                self._target, self._recorder, settings, self._tell, ways, at_work, self._project
            )
            patience_s = settings.request_timeout_s + settings.converge_timeout_s
            stack.enter_context(Pulse(self._recorder))
            load = self._load(stack, at_work)
            with Workers(
                self._recorder,
                at_work.clients,
                rate_per_s=rate,
                stop_timeout_s=patience_s,
            ) as workers:
                live = stack.enter_context(Live(self._recorder, self._show))
                live.phase = "before"
                workers.let_each_succeed(timeout_s=patience_s)
                self._tell(
                    f"{disruption.name}, while {len(at_work.clients)} clients are at work, {rate:.0f} operations a "
                    "second"
                )
                live.phase = disruption.name
                unproven: HarnessError | None = None
                unhealed: HealFailed | None = None
                stopped: OutageTooLong | None = None
                late: DeadlinePassed | None = None
                try:
                    with disruption:
                        with as_long_as(partial(self._require_bearable, workers)):
                            unproven = self._prove(disruption)
                            disruption.await_response()
                        self._tell("waiting until every replica is Ready and every Service points to them")
                        live.phase = "mending"
                except HealFailed as error:
                    # What is not whole again is what the check is about: the history tells it.
                    unhealed = error
                except OutageTooLong as error:
                    stopped = error
                    self._stop_run(str(error))
                writers: tuple[str, ...] = ()
                if unhealed is None:
                    live.phase = "after"
                    self._tell(f"clients go on for {settings.settle_s:g} s more")
                    settled_s = time.monotonic() + settings.settle_s
                    writers = afterwards.write_everywhere(self._small, disruption.names)
                    workers.go_on(settled_s - time.monotonic())
                    try:
                        workers.let_each_succeed(
                            timeout_s=settings.recovery_budget_s,
                            deadline="recovery_budget_s",
                            without=afterwards.taken_away(),
                        )
                    except DeadlinePassed as error:
                        # Something is lost for good, or it goes on: the checkers say what.
                        late = error
            weak = load.end() if load else None
            asked = Tried()
            if self._healed_ms() is not None:
                live.phase = "trying everything everywhere"
                asked = afterwards.try_everything(disruption.names)
        away = afterwards.taken_away()
        judged_clients = tuple(client for client in workers.clients if client not in away)
        judgements = self._judge(judged_clients, asked, writers, budgets)
        return Survival(
            judgements,
            self._healed_ms(),
            unhealed or stopped or unproven or late or weak,
            disruption.name,
            pushed_bytes=self._small.used_bytes + self._large.used_bytes,
            load=load.done.measured if load else {},
        )

    def _load(self, stack: ExitStack, at_work: ClientsAtWork) -> Load | None:
        """The load of `--load`, at work; None where none is asked for. Raises CannotTell where it does not begin."""
        settings, known = self._settings, at_work.known
        if not settings.load:
            return None
        plan = Plan(
            url=self._target.url,
            verify=settings.verify,
            clients=settings.load,
            credentials=self._target.belongings.machine(self._project),
            pulls_from=known.repository,
            digest=known.image.digest,
            pushes_to=self._repository("load"),
            run_id=self._run_id,
            most_bytes=self._most_bytes // 3,
            timeouts_s=settings.timeouts_s,
        )
        load = stack.enter_context(Load(plan, self._recorder))
        self._tell(f"{settings.load} clients more pull and push (--load)")
        load.await_work(timeout_s=settings.converge_timeout_s)
        return load

    def on(self, recorder: Recorder) -> "Experiment":
        """The same, with another history."""
        return Experiment(
            self._target,
            recorder,
            self._settings,
            self._tell,
            project=self._project,
            written=self._written,
            run_id=self._run_id,
            show=self._show,
            stop_run=self._stop_run,
            most_bytes=self._most_bytes,
        )

    def _prove(self, disruption: Disruption) -> HarnessError | None:
        """What kept the fault from being confirmed; the history has it, too, and is judged all the same."""
        try:
            disruption.prove()
        except (RightMissing, OutageTooLong):
            raise
        except HarnessError as unproven:
            return unproven
        awaited = f"; awaited: {disruption.expected_response}" if disruption.expected_response else ""
        self._tell(f"fault confirmed{awaited}")
        return None

    def _require_bearable(self, workers: Workers) -> None:
        """Raises OutageTooLong."""
        limit_s = self._settings.stop_when_outage_s
        client, silent_s = workers.longest_silence()
        if limit_s is not None and silent_s > limit_s:
            raise OutageTooLong(
                f"{client} had no good answer for {silent_s:.1f} s (--stop-when-outage-s {limit_s:g})"
            )

    def _gather(
        self, stack: ExitStack, ways: Ways, victims: Collection[str], budgets: Budgets
    ) -> ClientsAtWork:
        """Everybody who is to be at work, each with connections of its own."""
        credentials = self._target.user
        try:
            front = ways.front_harbor()
            written = front.projects(self._written, self._target.credentials)[self._written]
            writes_as = self._writer(front, written)
            opened = [web.sign_in(credentials) for web in ways.webs()]
            takers = ways.registries(self._target.profile.registry_api, without=victims)
            known = self._push_known(next(iter(takers.values()), ways.front_registry()))
        except (AnswerError, KeyError) as refusal:
            expected = "one can sign in on each replica, push, and find one's projects"
            observed = f"no project {refusal}" if isinstance(refusal, KeyError) else str(refusal)
            raise Failure([Offender("before anything is broken", expected, observed)]) from refusal
        at_work = ClientsAtWork(opened, known)
        readers = ways.webs(without=victims) if writes_as != self._target.credentials else []
        at_work.add(PageView(ways.front_harbor()))
        at_work.add(Login(ways.front_harbor(), credentials))
        at_work.add(SessionProbe(ways.front_harbor(), at_work.opened))
        at_work.written = ValueWrite(
            ways.front_harbor(), readers or [ways.front_harbor()], written, writes_as
        )
        at_work.add(at_work.written)
        entry = self._target.ledger.made(VALUES, at_work.written.mark, project=self._written)
        erasers = [ways.front_harbor() for _ in range(_ERASERS_COUNT)]
        stack.callback(self._erase, at_work.written, erasers, entry)
        small = self._push(FRONT_DOOR, ways.front_registry(), known)
        large = self._push(FRONT_DOOR, ways.front_registry(), known, large=True)
        at_work.add(small, large)
        at_work.add(Pull(FRONT_DOOR, ways.front_registry(), known))
        webs, by_place = ways.webs(without=victims), dict[str, list[Work]]()
        logins = {web.name: Login(web, credentials) for web in webs}
        for web in webs:
            by_place[web.name] = [SessionProbe(web, at_work.opened)]
        for name, connect in takers.items():
            by_place.setdefault(name, []).append(Pull(name, connect, known))
            push = self._push(name, connect, known)
            if push.kind in budgets.refuses:
                # Before and after alone: whoever else is at work there is to go on.
                at_work.works.append(push)
            else:
                by_place[name].append(push)
        for name, connect in ways.registries(Role.REGISTRY, without=victims).items():
            # Where docker clients are served by others, Harbor's own way to the registry's storage is tried, too.
            by_place.setdefault(name, [ManifestPull(name, connect, known)])
        for name, works in by_place.items():
            every = turns_between_logins(len(logins), len(works) + 1, budgets.outage_ms)
            at_work.add(*works, seldom=logins.get(name), every=every)
        return at_work

    def _note_how_long_sessions_live(self, ways: Ways) -> None:
        try:
            unused_s = ways.front_harbor().keeps_unused_sessions_s(self._target.credentials)
        except AnswerError:
            return  # not to those who are no administrators
        if unused_s is not None:
            self._recorder.event("sessions", SESSIONS_LIVE, {"unused_s": unused_s})

    def _writer(self, front: Harbor, written: Project) -> Credentials:
        """Who writes values: the run's robot, or, where Harbor lets it see none, the run's user; the administrator
        where nobody else may.
        """
        if not front.may_add_values():
            return self._target.credentials
        machine = self._target.belongings.machine(self._written)
        try:
            front.values(written, self._mark, machine)
        except UnexpectedAnswer as refusal:
            if refusal.status not in _NOT_ALLOWED:
                raise
            return self._target.user
        return machine

    def _push(self, place: str, connect: Connect, beside: Pushed, *, large: bool = False) -> Push:
        return Push(
            place,
            connect,
            beside,
            size_bytes=LARGE_BYTES if large else None,
            client=f"large-push@{place}" if large else None,
            allowance=self._large if large else self._small,
        )

    def _erase(self, written: ValueWrite, harbors: list[Harbor], entry: Entry) -> None:
        """What stays stands in the ledger."""
        try:
            # A robot's secret costs Harbor a hundredth of what a password does.
            is_robot = written.reads_as != self._target.user
            erase(harbors, written, written.reads_as if is_robot else self._target.credentials)
            self._target.ledger.drop(entry)
        except (AnswerError, TargetUnreachable, LeaseLost) as refusal:
            self._tell(f"some of what was written could not be removed: {refusal}")

    def _push_known(self, connect: Connect) -> Pushed:
        known = Pushed(self._repository("images"), Image.make(self._run_id.encode(), run_id=self._run_id))
        connect().push(known.image, known.repository, "known")
        return known

    def _require_each_works(self, at_work: ClientsAtWork) -> None:
        """Each kind of work at each place is done once, lane by lane. Raises Failure with what is not."""
        lanes = [[partial(self._try, work) for work in works] for works in at_work.lanes]
        if offenders := [offender for offender in side_by_side(lanes) if offender]:
            raise Failure(offenders)

    def _try(self, work: Work) -> Offender | None:
        done = try_before(self._recorder, work)
        if done.ok:
            return None
        status = f", status {done.status}" if done.status else ""
        return Offender(
            work.client,
            "works as long as nothing is broken on purpose",
            f"{TRIES} times {done.error}{status}; so nothing was broken: mend this first",
        )

    def _judge(
        self,
        clients: tuple[str, ...],
        tried: Tried,
        writers: Collection[str],
        budgets: Budgets,
    ) -> tuple[Judgement, ...]:
        history = unasked_while_cut_off(self._recorder.history())
        answers = history.without(budgets.refuses)
        clients = tuple(client for client in clients if answers.of(client) or not history.of(client))
        failed = _NO_LIMIT if budgets.failed is None else budgets.failed
        slow_ms = max(budgets.outage_ms, self._settings.slow_answer_budget_ms)
        judgements = [
            fault_confirmed(history),
            response(history, budget_ms=budgets.response_ms),
            whole_again(history),
            no_session_lost(history, replicas=tried.webs),
            no_acknowledged_push_lost(history, replicas=tried.keepers, passers=tried.passers),
            no_push_missing_in_catalogue(history, replicas=tried.webs),
            no_write_lost(history, replicas=tried.webs),
            *([no_account_lost(history)] if tried.accounts else []),
            no_stale_read(history),
            no_wrong_content(history),
            pulse(history),
            longest_outage(
                answers,
                clients=clients,
                budget_ms=budgets.outage_ms,
                slow_ms=slow_ms,
                kept=kept_to_hung(self._target, tried.passers),
            ),
            bad_answers(
                answers,
                clients=clients,
                outage_budget_ms=budgets.outage_ms,
                flapping_budget_percent=self._settings.flapping_budget_percent,
            ),
            failed_requests(answers, clients=clients, budget=failed, kept=kept_connections(self._target)),
            latency(answers, clients=clients),
            served_again(history, clients=writers, budget_ms=self._settings.recovery_budget_s * 1000),
        ]
        if budgets.recovery_ms is not None:
            judgements.append(recovery(history, budget_ms=budgets.recovery_ms))
        if self._recorder.file:
            judged.write(judged.beside(self._recorder.file), [each.document() for each in judgements])
        return tuple(judgements)

    def _healed_ms(self) -> float | None:
        disruptions = self._recorder.history().disruptions()
        if not disruptions or disruptions[-1].healed is None:
            return None
        return round((disruptions[-1].healed.at_ns - disruptions[-1].inject.at_ns) / 1e6, 3)

    def _repository(self, what: str) -> str:
        """Of this experiment alone: where listing one takes time for each of its tags, that would take too long."""
        return f"{self._project}/failover-{self._mark}-{what}"
