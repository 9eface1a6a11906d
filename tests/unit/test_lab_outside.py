"""What stands outside Kubernetes, as far as it can be judged without running it."""

import socket
import threading
from pathlib import Path

import pytest

from lab import settings
from lab.errors import CommandFailed, LabError
from lab.stores import ceph, galera, load_balancer, postgresql, redis_sentinel, templates
from lab.stores.galera_recovery import Position, first_to_start, recovered_position, saved_position
from lab.waiting import NotYet

HISTORY = "18f014df-e7b2-11f1-89c1-a70132e1d2d2"
OTHER_HISTORY = "4d72e398-e7b1-11f1-8616-02fc00000001"
NO_HISTORY = "00000000-0000-0000-0000-000000000000"


def grastate(history: str, number: int) -> str:
    return (
        f"# GALERA saved state\nversion: 2.1\nuuid:    {history}\nseqno:   {number}\nsafe_to_bootstrap: 0\n"
    )


def test_a_node_that_ended_in_order_has_saved_its_position():
    assert saved_position(grastate(HISTORY, 14)) == Position(HISTORY, 14)


@pytest.mark.parametrize("text", [grastate(HISTORY, -1), grastate(NO_HISTORY, -1), ""])
def test_a_node_that_was_killed_has_saved_no_position(text):
    assert saved_position(text) is None


def test_the_position_of_a_killed_node_is_recovered_from_its_tables():
    output = (
        f"2026-11-24  2:52:33 0 [Note] InnoDB: End of log at LSN=44894\n"
        f"2026-11-24  2:52:33 0 [Note] WSREP: Recovered position: {HISTORY}:25,0-1-12\n"
    )
    assert recovered_position(output) == Position(HISTORY, 25)
    assert recovered_position(f"WSREP: Recovered position: {NO_HISTORY}:-1") is None
    assert recovered_position("mariadbd: killed") is None


@pytest.mark.parametrize(
    "numbers, first",
    [
        ((14, 13, 12), "galera-1"),
        ((12, 13, 14), "galera-3"),
        ((None, 3, None), "galera-2"),
        ((14, 14, 14), "galera-1"),
        ((None, None, None), "galera-1"),
    ],
)
def test_a_cluster_starts_again_from_the_node_that_knows_the_last_transaction(numbers, first):
    positions = {
        name: None if number is None else Position(HISTORY, number)
        for name, number in zip(settings.GALERA, numbers, strict=True)
    }
    assert first_to_start(positions) == first


def test_a_node_of_another_history_does_not_start_the_cluster_however_far_it_got():
    positions = {
        "galera-1": Position(OTHER_HISTORY, 99),
        "galera-2": Position(HISTORY, 3),
        "galera-3": Position(HISTORY, 4),
    }
    assert first_to_start(positions) == "galera-3"


def servers(up: dict[str, tuple[str, ...]]) -> dict[tuple[str, str], str]:
    every = {
        "database": tuple(settings.GALERA),
        "postgresql": tuple(settings.POSTGRESQL),
        **{name: (name,) for name in redis_sentinel.DATA_NODES},
        **{f"sentinels-name-{name}": tuple(redis_sentinel.SENTINELS) for name in redis_sentinel.DATA_NODES},
    }
    return {
        (part, name): "UP" if name in up.get(part, ()) else "DOWN"
        for part, all in every.items()
        for name in all
    }


HEALTHY = {
    "database": tuple(settings.GALERA),
    "postgresql": ("postgresql-1",),
    "redis-1": ("redis-1",),
    "sentinels-name-redis-1": tuple(redis_sentinel.SENTINELS),
}


@pytest.mark.parametrize(
    "change, seen",
    [
        ({}, None),
        ({"redis-2": ("redis-2",)}, None),  # back after a failover, and not believed
        ({"sentinels-name-redis-1": ()}, None),  # no Sentinel is there: the primary goes on
        ({"database": ("galera-2",)}, "leads to galera-2 and to postgresql-1 and to redis-1"),
        ({"postgresql": ()}, "and to no PostgreSQL and"),
        ({"postgresql": ("postgresql-1", "postgresql-2")}, "and to postgresql-1, postgresql-2 and"),
        ({"redis-1": ()}, "and to no Redis"),
        ({"redis-1": (), "redis-2": ("redis-2",)}, "and to no Redis"),
        ({"redis-2": ("redis-2",), "sentinels-name-redis-1": ()}, "and to redis-1, redis-2"),
    ],
)
def test_the_load_balancer_is_well_when_it_leads_to_all_of_galera_and_to_one_postgresql_and_one_redis(
    monkeypatch, change, seen
):
    monkeypatch.setattr(load_balancer, "_runs", lambda nodes: True)
    monkeypatch.setattr(load_balancer, "servers", lambda: servers({**HEALTHY, **change}))
    if seen is None:
        assert (
            load_balancer.healthy()
            == "leads to galera-1, galera-2, galera-3 and to postgresql-1 and to redis-1"
        )
    else:
        with pytest.raises(NotYet, match=seen):
            load_balancer.healthy()


@pytest.mark.parametrize(
    "running, up, seen",
    [
        (
            galera.NODES,
            HEALTHY | {"postgresql": ()},
            "leads to galera-1, galera-2, galera-3 and to redis-1",
        ),
        (postgresql.NODES, HEALTHY | {"database": ()}, "leads to postgresql-1 and to redis-1"),
    ],
)
def test_the_load_balancer_is_well_without_the_database_of_the_other_generation(
    monkeypatch, running, up, seen
):
    monkeypatch.setattr(load_balancer, "_runs", lambda nodes: nodes is running)
    monkeypatch.setattr(load_balancer, "servers", lambda: servers(up))
    assert load_balancer.healthy() == seen


def test_a_load_balancer_without_any_database_leads_nowhere(monkeypatch):
    monkeypatch.setattr(load_balancer, "_runs", lambda nodes: False)
    monkeypatch.setattr(load_balancer, "servers", lambda: servers(HEALTHY))
    with pytest.raises(NotYet, match="no database"):
        load_balancer.healthy()


def sentinel_file(address: str, epoch: int) -> str:
    return (
        f"port 26379\nsentinel monitor harbor {address} 6379 2\nsentinel config-epoch harbor {epoch}\n"
        "sentinel known-replica harbor 198.18.255.32 6379\n"
    )


def test_the_latest_election_says_which_redis_is_primary(monkeypatch, tmp_path):
    monkeypatch.setattr(redis_sentinel, "FOLDER", tmp_path)
    for name, (redis, epoch) in zip(
        redis_sentinel.SENTINELS, (("redis-1", 0), ("redis-2", 7), ("redis-1", 6)), strict=True
    ):
        (tmp_path / f"{name}.conf").write_text(sentinel_file(settings.REDIS[redis], epoch))
    assert redis_sentinel.elected_primary() == "redis-2"


def test_a_sentinel_that_names_a_stranger_is_an_error():
    with pytest.raises(LabError, match=r"192\.0\.2\.1"):
        redis_sentinel.elected(sentinel_file("192.0.2.1", 0))


@pytest.mark.parametrize(
    "said, in_use",
    [
        (["redis-1", "redis-1", "redis-1"], "redis-1"),
        ([None, "redis-2", "redis-2"], "redis-2"),
        (["redis-1", "redis-2", "redis-2"], "redis-2"),
        ([None, None, "redis-2"], None),
        ([None, "redis-1", "redis-2"], None),
        ([None, None, None], None),
    ],
)
def test_the_redis_in_use_is_what_most_sentinels_name_and_silence_is_no_vote(monkeypatch, said, in_use):
    answers = iter(said)

    def redis_cli(*words):
        name = next(answers)
        if name is None:
            raise CommandFailed(["redis-cli"], 124, "")
        return f"{settings.REDIS[name]}\n6379\n"

    monkeypatch.setattr(redis_sentinel, "redis_cli", redis_cli)
    if in_use:
        assert redis_sentinel.in_use() == in_use
    else:
        with pytest.raises(NotYet, match="most Sentinels name no Redis"):
            redis_sentinel.in_use()


def test_redis_password_can_stand_in_harbors_redis_url():
    assert "," not in redis_sentinel.PASSWORD


def test_another_program_than_redis_knows_nothing_of_what_redis_kept(monkeypatch, tmp_path):
    folder, link = tmp_path / "redis", tmp_path / "session-store"
    monkeypatch.setattr(redis_sentinel, "FOLDER", folder)
    monkeypatch.setattr(redis_sentinel, "_SERVER", link)
    monkeypatch.setattr(redis_sentinel, "SERVERS", {})
    monkeypatch.setattr(redis_sentinel, "SENTINELS", {})
    redis_sentinel._be(redis_sentinel.REDIS)
    folder.mkdir()
    redis_sentinel._be(redis_sentinel.REDIS)
    assert folder.exists()
    redis_sentinel._be(Path("/usr/bin/valkey-server"))
    assert not folder.exists()
    assert link.readlink() == Path("/usr/bin/valkey-server")


def test_redis_speaks_tls_too_where_that_was_asked_for_and_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    monkeypatch.setattr(redis_sentinel, "FOLDER", tmp_path)
    asked = []
    monkeypatch.setattr(
        redis_sentinel, "redis_cli", lambda address, port, *words: asked.append((address, words))
    )
    redis_sentinel.open_tls()
    for name in redis_sentinel.DATA_NODES:
        setting, user, kept = [words for address, words in asked if address == settings.REDIS[name]]
        options = dict(zip(setting[2::2], setting[3::2], strict=True))
        assert options["tls-port"] == "6380"
        assert Path(options["tls-key-file"]).stat().st_mode & 0o077 == 0
        assert user[:3] == ("ACL", "SETUSER", redis_sentinel.TLS_USER)
        assert kept == ("CONFIG", "REWRITE")


def test_who_comes_to_redis_by_tls_is_led_to_the_same_primary():
    lines = load_balancer.configuration().splitlines()
    choices = [line.split() for line in lines if line.startswith("  use_backend ")]
    plain, by_tls = choices[:3], choices[3:]
    assert [[word.removeprefix("tls-") for word in line] for line in by_tls] == plain
    tracked = [line for line in lines if " track " in line]
    assert [line.split()[-1] for line in tracked] == [f"{name}/{name}" for name in redis_sentinel.DATA_NODES]


@pytest.fixture
def ceph_daemon(monkeypatch, tmp_path):
    """A daemon's admin socket that answers as told: `answer(bytes)`."""
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(ceph, "FOLDER", tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "run" / "mds.a.asok"))
        listener.listen()

        def answer(content: bytes) -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(content)

        def start(content: bytes) -> None:
            threading.Thread(target=answer, args=(content,), daemon=True).start()

        yield start


def test_a_ceph_daemon_is_asked_on_its_own_socket(ceph_daemon):
    content = b'{"state": "up:active"}'
    ceph_daemon(len(content).to_bytes(4, "big") + content)
    assert ceph.ask("mds.a", "status") == {"state": "up:active"}


def test_a_ceph_daemon_that_only_starts_is_not_there_yet(ceph_daemon):
    content = b"ERROR: (22) Invalid argument"
    ceph_daemon(len(content).to_bytes(4, "big") + content)
    with pytest.raises(NotYet, match="Invalid argument"):
        ceph.ask("mds.a", "status")


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x10{"])
def test_a_ceph_daemon_that_ends_while_it_answers_has_not_answered(ceph_daemon, content):
    ceph_daemon(content)
    with pytest.raises(OSError, match=r"mds\.a hung up"):
        ceph.ask("mds.a", "status")


@pytest.fixture
def template(monkeypatch, tmp_path):
    """`template()` obtains a template whose recipe is the file `recipe`; `made` counts."""
    monkeypatch.setattr(settings, "CACHE", tmp_path / "cache")
    recipe, made = tmp_path / "recipe", []
    recipe.write_text("first")

    def make(workshop: Path) -> None:
        made.append(workshop)
        (workshop / "data").write_text(recipe.read_text())

    def obtain() -> Path:
        return templates.obtain(
            "database", package="bash", recipe=recipe, workshop=tmp_path / "workshop", make=make
        )

    obtain.recipe, obtain.made = recipe, made
    return obtain


def test_a_template_is_made_once(template):
    assert template() == template()
    assert (template() / "data").read_text() == "first"
    assert len(template.made) == 1
    assert not template.made[0].exists()


def test_a_template_is_made_anew_when_its_recipe_changes_and_the_old_one_goes(template):
    old = template()
    template.recipe.write_text("second")
    assert (template() / "data").read_text() == "second"
    assert not old.exists()


def test_a_copy_has_the_holes_of_the_original_and_is_whole_or_absent(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    with (source / "disk").open("wb") as disk:
        disk.truncate(64 * 2**20)
    (tmp_path / "target.partial").mkdir()
    (tmp_path / "target.partial" / "rest").touch()

    templates.copy(source, target)

    assert [path.name for path in target.iterdir()] == ["disk"]
    assert (target / "disk").stat().st_size == 64 * 2**20
    assert (target / "disk").stat().st_blocks == 0
    with pytest.raises(CommandFailed):
        templates.copy(tmp_path / "nowhere", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
