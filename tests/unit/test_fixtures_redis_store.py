"""The session store as a client of it sees it, with a Redis of a few lines."""

import socketserver
import ssl
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.model.stores import SessionStore
from lab import authority
from lab import settings as lab_settings

STORE = SessionStore("redis", 6379, password="hush", database=11)
INFO = b"# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"


class FakeRedis(socketserver.StreamRequestHandler):
    """Speaks as much as a Redis 5 does of what is asked of it; refuses every password but the right one."""

    def command(self):
        first = self.rfile.readline()
        if not first:
            return None
        words = []
        for _ in range(int(first[1:])):
            words.append(self.rfile.read(int(self.rfile.readline()[1:])).decode())
            self.rfile.readline()
        return words

    def handle(self):
        while words := self.command():
            self.server.seen.append(words)
            name, *arguments = [words[0].upper(), *words[1:]]
            self.wfile.write(self.answer(name, arguments))

    def answer(self, name, arguments):
        if name == "AUTH" and arguments == ["hush"]:
            self.unlocked = True
        if self.server.locked and not getattr(self, "unlocked", False) and name in ("SENTINEL", "PING"):
            return b"-NOAUTH Authentication required.\r\n"
        if name == "SENTINEL":
            return self.sentinel(arguments)
        if name == "HELLO":
            return b"-ERR unknown command 'HELLO'\r\n"
        if name == "AUTH" and arguments != ["hush"]:
            return b"-WRONGPASS invalid username-password pair\r\n"
        if name == "TTL":
            return b":%d\r\n" % self.server.left.get(arguments[0], -2)
        if name == "SCAN":
            at, key = (b"7", b"blobs::sha256:a") if arguments[0] == "0" else (b"0", b"blobs::sha256:b")
            return b"*2\r\n$1\r\n%s\r\n*1\r\n$%d\r\n%s\r\n" % (at, len(key), key)
        if name == "HGETALL":
            return b"*2\r\n$4\r\nsize\r\n$1\r\n5\r\n" if arguments == ["blobs::sha256:a"] else b"*0\r\n"
        if name == "ZRANGE":
            assert arguments[1:] == ["0", "-1", "WITHSCORES"]
            return (
                b"*4\r\n$1\r\na\r\n$1\r\n7\r\n$1\r\nb\r\n$10\r\n1795764871\r\n"
                if arguments[0] == "z"
                else b"*0\r\n"
            )
        if name == "TYPE":
            return b"+string\r\n"
        if name == "INFO":
            return b"$%d\r\n%s\r\n" % (len(INFO), INFO)
        return b"+OK\r\n"

    def sentinel(self, arguments):
        """The masters that this Sentinel knows: one, which is said to be where `server.primary` is."""
        assert arguments == ["MASTERS"]
        host, port = self.server.primary
        state = {
            "name": "harbor",
            "ip": host,
            "port": str(port),
            "flags": "master",
            "num-other-sentinels": "2",
        }
        words = [word.encode() for pair in state.items() for word in pair]
        told = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        return b"*1\r\n*%d\r\n%s" % (len(words), told)


@contextmanager
def running(handler=FakeRedis, secured=None):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    if secured:
        server.socket = secured.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    server.seen, server.left, server.primary = [], {"live": 3600, "for-ever": -1}, None
    server.locked = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def sentinel(server):
    """A Sentinel that says that the primary is `server`."""
    with running() as sentinel:
        sentinel.primary = server.server_address
        yield sentinel


@pytest.fixture
def by_tls(monkeypatch, tmp_path):
    """(Sentinel, authority's certificate): that Sentinel, and the primary that it names, speak TLS only."""
    monkeypatch.setattr(lab_settings, "STATE", tmp_path)
    issued = authority.pair("redis", ["127.0.0.1"])
    shown = tmp_path / "shown.pem"
    shown.write_text(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    with running(secured=context) as primary, running(secured=context) as sentinel:
        sentinel.primary = primary.server_address
        yield sentinel, authority.certificate_file()


def store(server, **changes):
    asked = SessionStore(**{**vars(STORE), **changes})
    return RedisStore(asked, f"127.0.0.1:{server.server_address[1]}", timeouts_s=(1, 1))


def test_keys_come_a_page_at_a_time_and_hashes_by_their_fields(server):
    with store(server) as redis:
        assert list(redis.keys("blobs::*")) == ["blobs::sha256:a", "blobs::sha256:b"]
        assert redis.fields("blobs::sha256:a") == {"size": "5"}
        assert redis.fields("gone") == {}
    assert ["SCAN", "7", "MATCH", "blobs::*", "COUNT", "1000"] in server.seen


def test_a_key_has_time_left_or_for_ever_or_is_not_there(server):
    with store(server) as redis:
        assert redis.time_to_live_s("live") == 3600
        assert redis.time_to_live_s("for-ever") == -1
        assert redis.time_to_live_s("lost") is None


def test_it_asks_the_database_of_its_settings_and_writes_nothing(server):
    with store(server) as redis:
        redis.time_to_live_s("live")
        assert redis.kind_of("live") == "string"
        assert redis.facts("replication")["role"] == "master"
    names = [words[0].upper() for words in server.seen]
    assert ["SELECT", "11"] in server.seen
    assert set(names) <= {"AUTH", "CLIENT", "SELECT", "TTL", "TYPE", "INFO"}


def test_a_wrong_password_is_a_refusal_that_does_not_tell_it(server):
    with store(server, password="s3cret") as redis, pytest.raises(StoreRefused) as refused:
        redis.time_to_live_s("live")
    assert "database 11: invalid username-password pair" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_redis_that_nobody_answers_for_is_a_refusal_after_one_try():
    with RedisStore(STORE, "127.0.0.1:1", timeouts_s=(1, 1)) as redis:
        with pytest.raises(
            StoreRefused, match=r"Redis at redis:6379 by way of 127\.0\.0\.1:1, database 11: "
        ):
            redis.time_to_live_s("live")


def test_a_way_that_did_not_come_about_says_nothing_about_redis():
    with RedisStore(STORE, "127.0.0.1:1", timeouts_s=(1, 1), way_failed=lambda: "no API server") as redis:
        with pytest.raises(CannotTell, match="port-forward to its pod: no API server"):
            redis.time_to_live_s("live")


def test_a_certificate_that_this_side_does_not_trust_says_nothing_about_harbor():
    with (
        RedisStore(STORE, "127.0.0.1:1", timeouts_s=(1, 1)) as asked,
        pytest.raises(CannotTell, match="--session-store-ca-file"),
    ):
        asked._ask(refuse, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in certificate chain")
    with RedisStore(STORE, "127.0.0.1:1", timeouts_s=(1, 1)) as asked, pytest.raises(StoreRefused):
        asked._ask(refuse, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired")


def refuse(message):
    raise OSError(message)


def by_sentinels(*addresses, ca_file=None, **changes):
    asked = SessionStore(
        "s1", 26379, password="hush", database=2, primary="harbor", sentinels=("s1:26379", "s2:26379")
    )
    changed = SessionStore(**{**vars(asked), **changes})
    return RedisStore(changed, "s1:26379", sentinels=addresses, timeouts_s=(1, 1), ca_file=ca_file)


def test_a_sorted_set_is_given_with_its_scores(server):
    with store(server) as redis:
        assert redis.scored("z") == [("a", 7), ("b", 1795764871)]
        assert redis.scored("gone") == []


def test_tls_is_for_the_sentinels_as_well_as_for_the_primary(by_tls):
    sentinel, ca_file = by_tls
    there = f"127.0.0.1:{sentinel.server_address[1]}"
    with by_sentinels(there, tls=True, ca_file=ca_file) as redis:
        assert redis.time_to_live_s("live") == 3600


def test_the_primary_is_asked_for_where_a_sentinel_says_that_it_is(server, sentinel):
    there = f"127.0.0.1:{sentinel.server_address[1]}"
    with by_sentinels("127.0.0.1:1", there) as redis:
        assert redis.time_to_live_s("live") == 3600
    assert ["AUTH", "hush"] in server.seen
    assert ["SELECT", "2"] in server.seen
    names = {words[0].upper() for words in sentinel.seen}
    assert "AUTH" not in names, "the password is the primary's"
    assert "TTL" not in names


def test_a_primary_that_no_sentinel_knows_is_a_refusal(sentinel):
    there = f"127.0.0.1:{sentinel.server_address[1]}"
    with by_sentinels(there, primary="other") as redis, pytest.raises(StoreRefused) as refused:
        redis.time_to_live_s("live")
    told = str(refused.value)
    assert f"Redis primary other of the Sentinels {there}: No master found for 'other'" in told
    assert "hush" not in told


def test_sentinels_that_nobody_answers_for_are_a_refusal():
    with by_sentinels("127.0.0.1:1", "127.0.0.1:2") as redis, pytest.raises(StoreRefused, match="No master"):
        redis.time_to_live_s("live")


def test_sentinels_that_ask_for_a_password_are_given_the_one_that_harbors_setting_holds(server, sentinel):
    sentinel.locked = True
    there = f"127.0.0.1:{sentinel.server_address[1]}"
    with by_sentinels(there) as redis:
        assert redis.time_to_live_s("live") == 3600
    assert ["AUTH", "hush"] in sentinel.seen


@pytest.mark.parametrize("password", ["", "another"])
def test_sentinels_with_a_password_of_their_own_are_told_and_no_verdict(sentinel, password):
    sentinel.locked = True
    there = f"127.0.0.1:{sentinel.server_address[1]}"
    with (
        by_sentinels(there, password=password) as redis,
        pytest.raises(CannotTell, match="ask for a password"),
    ):
        redis.time_to_live_s("live")


def test_the_primary_that_a_sentinel_names_is_reached_as_it_is_said(server, sentinel):
    """From outside the address of a pod may be somebody else's: who would be given the password there."""
    there, real = f"127.0.0.1:{sentinel.server_address[1]}", server.server_address
    sentinel.primary = ("10.244.0.12", 6379)
    asked = []

    def way_to(host, port):
        asked.append((host, port))
        return real

    store = SessionStore("s1", 26379, password="hush", database=2, primary="harbor", sentinels=("s1:26379",))
    with RedisStore(store, "s1:26379", sentinels=(there,), timeouts_s=(1, 1), way_to=way_to) as redis:
        assert redis.time_to_live_s("live") == 3600
    assert set(asked) == {("10.244.0.12", 6379)}


TLS = SessionStore("redis", 6379, password="hush", database=0, tls=True)


@pytest.mark.parametrize(
    "address, given, verified, by_name",
    [
        ("redis:6379", {}, True, True),
        ("redis:6379", {"ca_file": Path("ca.pem")}, True, True),
        # By a way of one's own the certificate names something else.
        ("localhost:6379", {}, True, False),
        # The API server says which pod it is.
        ("127.0.0.1:40000", {"vouched": True}, False, False),
    ],
)
def test_whose_certificate_is_taken(address, given, verified, by_name):
    asked = RedisStore(TLS, address, timeouts_s=(1, 1), **given)._client.connection_pool.connection_kwargs
    assert (asked.get("ssl_cert_reqs", "required") != "none") is verified
    assert asked["ssl_check_hostname"] is by_name
    assert asked.get("ssl_ca_certs") == (str(given["ca_file"]) if "ca_file" in given else None)


def test_sentinels_of_a_store_with_tls_are_spoken_to_with_tls():
    by_tls = SessionStore(**{**vars(TLS), "primary": "harbor", "sentinels": ("s1:26379",)})
    asked = RedisStore(by_tls, "s1:26379", sentinels=("s1:26379",), timeouts_s=(1, 1), ca_file=Path("ca.pem"))
    (sentinel,) = asked._sentinel.sentinels
    kwargs = sentinel.connection_pool.connection_kwargs
    assert sentinel.connection_pool.connection_class.__name__ == "SSLConnection"
    assert kwargs["ssl_ca_certs"] == "ca.pem"
