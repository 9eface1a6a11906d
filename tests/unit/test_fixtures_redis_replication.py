"""What a Redis says of those that follow it, and Sentinels of each other, by a Redis of a few lines."""

import pytest

from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.errors import StoreRefused
from harbor_verify.model.stores import SentinelView, SessionStore
from tests.unit.test_fixtures_redis_store import FakeRedis, running

STORE = SessionStore("redis", 6379, password="hush", database=0)
BY_SENTINELS = SessionStore(
    "s1", 26379, password="hush", database=0, primary="harbor", sentinels=("s1:26379",)
)
ALIVE, LOST = "sentinel", "s_down,sentinel,disconnected"


class Speaking(FakeRedis):
    """Says what `server.info` holds, or refuses with it; as a Sentinel what `server.told` holds."""

    def answer(self, name, arguments):
        if name != "INFO":
            return super().answer(name, arguments)
        info = self.server.info
        return b"-%s\r\n" % info[1:] if info.startswith(b"-") else b"$%d\r\n%s\r\n" % (len(info), info)

    def sentinel(self, arguments):
        answer = self.server.told[arguments[0]]
        if arguments[0] == "CKQUORUM":
            return answer
        many = [_array(state) for state in answer] if isinstance(answer, list) else [_array(answer)]
        return b"".join(many) if isinstance(answer, dict) else b"*%d\r\n%s" % (len(many), b"".join(many))


def _array(state):
    words = [str(word).encode() for pair in state.items() for word in pair]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


@pytest.fixture
def server():
    with running(Speaking) as server:
        yield server


def address(server):
    return f"127.0.0.1:{server.server_address[1]}"


@pytest.mark.parametrize(
    "info, survives, told",
    [
        ("role:master\r\nconnected_slaves:0", False, "no replica follows it"),
        (
            "role:master\r\nconnected_slaves:1\r\nslave0:ip=a,port=1,state=online,offset=9,lag=0",
            True,
            "1 replica",
        ),
        (
            # Valkey's form.
            "role:master\r\nconnected_slaves:1\r\nslave0:ip=a,port=1,state=online,lag=0,type=replica",
            True,
            "1 replica follows it",
        ),
        (
            "role:master\r\nconnected_slaves:1\r\nslave0:ip=a,port=1,state=wait_bgsave,offset=0,lag=0",
            None,
            "state wait_bgsave",
        ),
        ("role:slave\r\nmaster_host:r1\r\nmaster_link_status:up", True, "follows r1, and the link is up"),
        ("role:slave\r\nmaster_host:r1\r\nmaster_link_status:down", None, "the link is down"),
        ("-NOPERM this user has no permissions to run the 'info' command", None, "no permissions"),
    ],
)
def test_those_that_follow_count_once_they_have_everything(server, info, survives, told):
    server.info = info.encode()
    with RedisStore(STORE, address(server), timeouts_s=(1, 1)) as redis:
        found = redis.redundancy()
    assert found.survives is survives
    assert told in found.seen


def looking(*addresses):
    return RedisStore(BY_SENTINELS, "s1:26379", sentinels=addresses, timeouts_s=(1, 1))


def test_each_sentinel_tells_how_many_they_are_and_one_that_is_silent_why(server):
    server.told = {
        "MASTER": {"name": "harbor", "quorum": 2},
        "SENTINELS": [{"name": "b", "flags": ALIVE}, {"name": "c", "flags": LOST}],
        "SLAVES": [{"name": "r1:6379", "slave-priority": 0}, {"name": "r2:6379", "slave-priority": 100}],
        "CKQUORUM": b"+OK 2 usable Sentinels. Quorum and failover authorization can be reached\r\n",
    }
    with looking(address(server), "127.0.0.1:1") as redis:
        view, silent = redis.sentinel_views()
    assert view == SentinelView(address(server), known=3, usable=2, quorum=2)
    assert isinstance(silent, StoreRefused)
    assert "Sentinel 127.0.0.1:1: " in str(silent)


@pytest.mark.parametrize(
    "answer, refusal",
    [
        (b"-NOQUORUM 1 usable Sentinels. Not enough\r\n", "NOQUORUM 1 usable Sentinels. Not enough"),
        (b"-ERR Unknown sentinel subcommand 'CKQUORUM'\r\n", ""),
    ],
)
def test_sentinels_that_could_not_elect_say_so(server, answer, refusal):
    server.told = {"MASTER": {"quorum": 2}, "SENTINELS": [], "SLAVES": [], "CKQUORUM": answer}
    with looking(address(server)) as redis:
        assert redis.sentinel_views()[0].refusal == refusal


def test_replicas_of_a_primary_that_is_not_reached_are_told_by_a_sentinel(server):
    server.told = {
        "MASTERS": [
            {"name": "harbor", "ip": "127.0.0.1", "port": 1, "flags": "master", "num-other-sentinels": 2}
        ],
        "SLAVES": [{"name": "a", "flags": "slave"}, {"name": "b", "flags": "s_down,slave"}],
    }
    with looking(address(server)) as redis:
        assert redis.redundancy().seen == "the Sentinels know 2 replicas, 1 of them alive"
        server.told["SLAVES"] = []
        assert redis.redundancy().survives is False


@pytest.mark.parametrize(
    "known, usable, quorum, trouble",
    [
        (3, 3, 2, ""),
        (5, 4, 3, ""),
        (3, 2, 2, "it knows 3, of which 2 are alive, and 2 have to agree (quorum 2, majority 2)"),
        (2, 2, 1, "it knows 2, of which 2 are alive"),
        (1, 1, 1, "it knows 1, of which 1 is alive"),
        (3, 3, 3, "3 have to agree (quorum 3, majority 2)"),
    ],
)
def test_one_sentinel_more_than_have_to_agree_must_be_alive(known, usable, quorum, trouble):
    told = SentinelView("s:1", known, usable, quorum).trouble
    assert trouble in told
    assert bool(told) == bool(trouble)
    assert SentinelView("s:1", 3, 3, 2, "NOQUORUM").trouble == "NOQUORUM"


def test_replicas_none_of_which_may_be_made_primary_are_named(server):
    server.told = {
        "MASTER": {"quorum": 2},
        "SENTINELS": [{"name": "b", "flags": ALIVE}, {"name": "c", "flags": ALIVE}],
        "SLAVES": [{"name": "r1:6379", "slave-priority": 0}, {"name": "r2:6379", "slave-priority": 0}],
        "CKQUORUM": b"+OK\r\n",
    }
    with looking(address(server)) as redis:
        [view] = redis.sentinel_views()
    assert view.trouble == "no replica is ever to be made primary: replica-priority is 0 at r1:6379, r2:6379"
