"""A kill among clients at work, on a Harbor of a few lines whose pod only seems to die."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Timer
from types import SimpleNamespace

import pytest

from harbor_verify import afterwards, failover, pod_deletion
from harbor_verify.clients.pod_channel import PodGone
from harbor_verify.errors import CannotTell, NoAnswer, TargetUnreachable
from harbor_verify.experiments import Experiments
from harbor_verify.failover import Experiment
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.pod_deletion import require_whole
from harbor_verify.survival import Budgets
from harbor_verify.verdict import Failure
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.work import Work
from tests.unit.failover_world import SETTINGS, FakeKill, World

DRAWS_THE_FIRST = "6"
"""A seed by which it is ui-0 that is hit."""


@pytest.fixture
def kill(monkeypatch):
    """Runs it: (world, what happens meanwhile, whether it heals) → Survival. `budgets`: others than a kill's."""

    def run(
        world, during=lambda: None, *, settings=SETTINGS, stop_run=lambda reason: None, budgets=None, **more
    ):
        fake = type("Kill", (FakeKill,), {"world": world, "during": staticmethod(during), **more})
        monkeypatch.setattr(pod_deletion, "PodKill", fake)
        monkeypatch.setattr(failover, "LARGE_BYTES", 2048)
        monkeypatch.setattr(failover, "kept_connections", lambda target: [])
        monkeypatch.setattr(failover, "kept_to_hung", lambda target, passers: [])
        with Recorder() as recorder:
            experiment = Experiment(
                world,
                recorder,
                settings,
                lambda text: None,
                project="p",
                written="w",
                run_id="r",
                stop_run=stop_run,
            )
            if budgets:
                return experiment.run(fake(None, recorder, None), budgets, victims=("ui-0",))
            return Experiments(world, recorder, settings, experiment, DRAWS_THE_FIRST).pod_kill(Role.WEB)

    return run


def a_while():
    """Long enough for every client to ask; this is a test, the suite itself never sleeps."""
    time.sleep(0.1)


def written(world, count):
    if len(world.values) < count:
        raise NotYet(f"{len(world.values)} of {count}")


def test_a_harbor_that_shares_its_sessions_survives(kill):
    world = World()
    survival = kill(world, a_while)
    survival.require()
    assert survival.measured["lost"] == 0
    assert survival.measured["sessions"] > 3, "those of the logins count, too"
    assert survival.measured["recovery_ms"] >= 100
    assert survival.measured["pushes"] == len(set(world.pushes)) - 1, "all but the one that is pulled"
    assert survival.measured["pushes_lost"] == 0
    assert world.opened == world.closed > 0
    assert not world.kept, "it may lead to a replica that dies"


def test_sessions_that_died_with_their_pod_are_found(kill):
    world = World()

    def forget():
        a_while()
        world.stores["ui-0"] = set()  # what the new pod knows

    with pytest.raises(Failure, match="unknown"):
        kill(world, forget).require()


def test_sessions_that_ended_because_nobody_used_them_are_not_called_lost(kill):
    world = World()
    world.keeps_unused_sessions_s = 0.01

    def forget():
        a_while()
        for name in world.stores:
            world.stores[name] = set()

    sessions = next(each for each in kill(world, forget).judgements if each.checker == "no-session-lost")
    assert "Harbor keeps an unused one for 0.01 s" in sessions.unknowns[0]


def test_an_outage_at_the_front_door_is_found(kill):
    world = World()

    def away():
        world.silent = {"front-door"}
        time.sleep(0.5)
        world.silent = set()

    with pytest.raises(Failure) as failure:
        kill(world, away).require()
    told = {o.object for o in failure.value.offenders}
    assert told >= {"session-probe@front-door", "login@front-door", "page@front-door"}


@pytest.mark.parametrize(
    "silence",
    [PodGone("pods p not found"), NoAnswer("GET: no answer", sent=False)],
    ids=["by-port-forward", "at-its-address"],
)
def test_a_replica_that_an_autoscaler_takes_away_meanwhile_is_nobodys_outage(kill, silence):
    world = World()

    def scale_in():
        a_while()
        world.gone = {"uid-1": silence}
        world.pods[1] = SimpleNamespace(name="ui-1", uid="uid-11", ready=True)
        time.sleep(0.6)

    kill(world, scale_in).require()


def test_one_that_is_there_and_silent_is_an_outage(kill):
    world = World()

    def fall_silent():
        world.gone = {"uid-1": NoAnswer("GET: no answer", sent=True)}
        time.sleep(0.6)
        world.gone = {}

    with pytest.raises(Failure) as failure:
        kill(world, fall_silent).require()
    assert {o.object for o in failure.value.offenders} == {"ui-1"}


@pytest.mark.parametrize("limit_s, stopped", [(0.3, True), (None, False)])
def test_an_outage_that_is_too_long_ends_the_disruption_which_is_healed_judged_and_the_last_of_the_run(
    kill, limit_s, stopped
):
    world, reasons = World(), []

    def not_yet():
        raise NotYet("nobody took over")

    def away():
        world.silent = {"front-door"}
        try:
            wait_until("somebody takes over", not_yet, deadline="test", timeout_s=1, interval_s=0.02)
        finally:
            world.silent = set()

    settings = SETTINGS.model_copy(update={"stop_when_outage_s": limit_s, "repeat": 2 if stopped else 1})
    survival = kill(world, away, settings=settings, stop_run=reasons.append)
    assert not survival.repeats, "it is not done a second time"
    with pytest.raises(Failure) as failure:
        survival.require()
    assert {o.object for o in failure.value.offenders} >= {"login@front-door", "page@front-door"}
    assert survival.healed_ms is not None
    assert len(reasons) == stopped
    assert not stopped or "@front-door had no good answer for 0." in reasons[0]


def test_a_pod_that_is_not_replaced_in_time_is_harbors_failure_and_told_as_not_healed(kill):
    settings = SETTINGS.model_copy(update={"recovery_budget_s": 0.05})
    survival = kill(World(), a_while, heals=False, settings=settings)
    with pytest.raises(Failure, match="recovered within 50 ms") as failure:
        survival.require()
    assert "not healed" in failure.value.__notes__[0]


def test_what_is_not_healed_is_never_a_pass(kill):
    with pytest.raises(Failure, match="all is whole again") as failure:
        kill(World(), a_while, heals=False).require()
    assert "not healed" in str(failure.value.__notes__)
    with pytest.raises(CannotTell) as unknown:
        kill(World(), a_while, heals=None).require()  # for another reason than that it took too long
    assert "not healed" in str(unknown.value.__notes__)


def test_what_nobody_answers_is_a_failure_and_all_else_is_judged_too(kill):
    world = World()

    def forget():
        a_while()
        world.stores["ui-0"] = set()

    with pytest.raises(Failure) as failure:
        kill(world, forget, responds=False).require()
    assert "nobody did" in failure.value.offenders[0].observed
    assert any("unknown" in offender.observed for offender in failure.value.offenders[1:])


def test_a_fault_that_was_not_confirmed_is_no_pass_and_ends_no_judging(kill):
    survival = kill(World(), proves=False)
    with pytest.raises(CannotTell, match="was not seen to go") as unknown:
        survival.require()
    assert "still there" in str(unknown.value.__notes__)


def test_an_image_that_died_with_its_pod_is_found(kill):
    world = World()

    def lose():
        a_while()
        world.images["registry-1"] = {}

    with pytest.raises(Failure, match="images that were acknowledged"):
        kill(world, lose).require()


def test_pushes_that_nobody_can_do_meanwhile_are_judged_by_what_was_acknowledged_alone(kill):
    world, full = World(), Budgets(SETTINGS.outage_budget_ms, refuses=frozenset({"push"}))

    def fill(also=frozenset()):
        world.full, world.silent = True, set(also)
        time.sleep(1)
        world.full, world.silent = False, set()

    kill(world, fill, budgets=full).require()
    with pytest.raises(Failure, match="outage"):
        kill(world, fill, budgets=Budgets(SETTINGS.outage_budget_ms)).require()
    with pytest.raises(Failure) as failure:
        kill(world, lambda: fill({"front-door"}), budgets=full).require()
    assert not {o.object for o in failure.value.offenders} & {"push@front-door", "large-push@front-door"}

    def lose():
        fill()
        world.images["registry-1"] = {}

    with pytest.raises(Failure, match="images that were acknowledged"):
        kill(world, lose, budgets=full).require()


@pytest.mark.parametrize(
    "api, refuses, client",
    [
        (Role.REGISTRY, {"no_logins": {"ui-0"}}, "login-again@ui-0"),
        (Role.WEB, {"read_only": {"ui-0"}}, "push-again@ui-0"),
        (Role.WEB, {"read_only": {"registry-1"}}, "upload-again@registry-1"),
    ],
)
def test_a_successor_that_refuses_what_it_is_to_take_is_found(kill, api, refuses, client):
    world = World(registry_api=api)

    def come_back_worse():
        a_while()
        vars(world).update(refuses)

    settings = SETTINGS.model_copy(update={"recovery_budget_s": 1.5})
    with pytest.raises(Failure) as failure:
        kill(world, come_back_worse, settings=settings).require()
    assert [o.object for o in failure.value.offenders] == [client]
    assert "status 500 the last time" in failure.value.offenders[0].observed


def test_what_goes_wrong_soon_after_the_heal_is_found(kill):
    world = World()
    settings = SETTINGS.model_copy(update={"settle_s": 2})

    def break_later():
        Timer(0.9, lambda: world.silent.add("front-door")).start()
        Timer(1.7, world.silent.clear).start()

    with pytest.raises(Failure, match="no outage above 300 ms"):
        kill(world, break_later, settings=settings).require()


def test_pushes_that_go_on_failing_when_they_may_not_any_more_are_no_pass(kill):
    world, full = World(), Budgets(SETTINGS.outage_budget_ms, refuses=frozenset({"push"}))

    def fill():
        world.full = True
        time.sleep(1)

    settings = SETTINGS.model_copy(update={"recovery_budget_s": 0.5})
    with pytest.raises(Failure, match="push-again@front-door\n  expected: done within 500 ms of the heal"):
        kill(world, fill, settings=settings, budgets=full).require()


def test_a_client_that_gets_nothing_good_any_more_keeps_no_loss_from_being_told(kill):
    world = World()

    def lose_all():
        a_while()
        world.images.update({name: {} for name in world.images})

    settings = SETTINGS.model_copy(update={"recovery_budget_s": 0.5})
    with pytest.raises(Failure, match="images that were acknowledged") as failure:
        kill(world, lose_all, settings=settings).require()
    assert any("none for pull@" in note for note in failure.value.__notes__)


def test_nothing_is_broken_where_a_client_does_not_get_what_it_wants_before(kill):
    world = World()
    world.images["registry-1"] = {}
    broken = []
    with pytest.raises(Failure) as failure:
        kill(world, lambda: broken.append(True))
    assert [(o.object, o.observed) for o in failure.value.offenders] == [
        ("pull@registry-1", "3 times UnexpectedAnswer, status 404; so nothing was broken: mend this first")
    ]
    assert not broken
    assert world.opened == world.closed > 0


def test_a_client_that_could_not_ask_says_nothing_of_harbor():
    class Way(Work):
        kind, writes = "pull", False

        def do(self):
            raise TargetUnreachable("port-forward: 500")

    experiment = SimpleNamespace(_recorder=Recorder())
    with pytest.raises(CannotTell, match="pull@web-0 could not be asked"):
        failover.Experiment._try(experiment, Way("web-0"))


def test_an_image_that_nobody_lists_is_found(kill, monkeypatch):
    monkeypatch.setattr(
        afterwards, "list_everywhere", partial(afterwards.list_everywhere, listed_within_s=0.2)
    )
    world = World()

    def forget():
        a_while()
        world.unlisted = {world.pushes[-1]}

    with pytest.raises(Failure, match="lists the"):
        kill(world, forget).require()


def test_a_write_that_another_replica_does_not_see_is_found(kill):
    world = World()

    def lag():
        world.read = {"ui-1": dict(world.values), "ui-2": dict(world.values)}
        # Two: of the first it is sure that it was read, too.
        behind = len(world.values) + 2
        wait_until("written twice", lambda: written(world, behind), deadline="test", timeout_s=20)
        world.read = {}

    with pytest.raises(Failure, match="has just acknowledged"):
        kill(world, lag).require()


def test_the_last_two_writes_that_a_standby_had_not_got_are_missed(kill):
    world = World()

    def fail_over():
        a_while()
        for value in list(world.values)[-2:]:
            del world.values[value]

    with pytest.raises(Failure, match="values whose writes were acknowledged") as failure:
        kill(world, fail_over).require()
    assert any(offender.observed.startswith("not ") for offender in failure.value.offenders)


def test_an_account_that_a_standby_had_not_got_is_missed_and_not_used_again(kill):
    world = World()

    def fail_over():
        a_while()
        world.robots.clear()

    with pytest.raises(Failure, match="is known: Harbor acknowledged that it was made") as failure:
        kill(world, fail_over).require()
    assert "account robot$m" in {offender.object for offender in failure.value.offenders}
    assert world.machines == []


def test_what_was_written_is_removed_in_the_end(kill):
    world = World()
    kill(world, a_while).require()
    assert len(world.values) > 2
    assert world.removed == set(world.values.values())


def test_nothing_is_broken_where_one_cannot_even_push(kill):
    world = World()
    world.silent = {"registry-0"}
    with pytest.raises(Failure, match="before anything is broken"):
        kill(world)


def newer():
    """A Harbor whose web replicas serve docker clients."""
    return World(registry_api=Role.WEB)


def test_where_web_replicas_serve_docker_clients_images_go_there_and_come_from_everywhere(kill):
    world = newer()
    survival = kill(world, a_while)
    survival.require()
    assert world.at_work_takers == {"front-door", "ui-1", "ui-2"}, (
        "not the one that dies, and no registry behind them"
    )
    assert world.takers == {"front-door", "ui-0", "ui-1", "ui-2"}, "the successor afterwards, too"
    assert world.cancelled == {"registry-0", "registry-1"}, "what is tried there is taken back"
    images = survival.measured["pushes"]
    assert images == len(set(world.pushes)) - 1
    assert survival.measured["lost"] == survival.measured["pushes_lost"] == 0
    assert world.opened == world.closed > 0


@pytest.mark.parametrize("place", ["ui-0", "ui-2", "registry-1"])
def test_an_image_is_asked_back_of_web_replicas_and_of_the_registry_behind_them(kill, place):
    world = newer()

    def lose():
        a_while()
        world.images[place] = {}

    with pytest.raises(Failure, match="images that were acknowledged") as failure:
        kill(world, lose).require()
    assert place in str(failure.value)


def pending(*, broken=False, age_s=1):
    made = datetime.now(UTC) - timedelta(seconds=age_s)
    pod = SimpleNamespace(metadata=SimpleNamespace(creation_timestamp=made))
    state = "Pending (Unschedulable)"
    return SimpleNamespace(name="ui-1", uid="uid-1", ready=False, broken=broken, state=state, pod=pod)


def test_nothing_is_broken_that_is_not_whole():
    world = World()
    world.settings = SETTINGS.model_copy(update={"converge_timeout_s": 1.5})
    world.pods[1] = pending(age_s=0)
    with pytest.raises(Failure, match=r"2: ui-0 Ready, ui-1 Pending \(Unschedulable\), ui-2 Ready"):
        require_whole(world, Role.WEB)


def test_one_that_an_autoscaler_has_just_asked_for_is_waited_for():
    world = World()
    well, looks = list(world.pods), []

    def replicas(role):
        looks.append(role)
        return [well[0], pending(), well[2]] if len(looks) < 2 else well

    world.replicas = replicas
    require_whole(world, Role.WEB)
    assert len(looks) == 2


@pytest.mark.parametrize(
    "others",
    [[pending(), pending()], [pending(broken=True)], [pending(age_s=601)]],
    ids=["few", "broken", "old"],
)
def test_what_lacks_more_than_it_needs_or_does_not_just_start_is_not_waited_for(others):
    world = World()
    world.settings = SETTINGS.model_copy(update={"converge_timeout_s": 600})
    world.pods[-len(others) :] = others
    with pytest.raises(Failure, match="Ready replicas before one is deleted"):
        require_whole(world, Role.WEB)
