"""The Redis that Harbor keeps its sessions in, asked with Harbor's own password; read only."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from redis.sentinel import Sentinel

from harbor_verify.errors import CannotTell, StoreRefused
from harbor_verify.model.addresses import split
from harbor_verify.model.stores import Redundancy, SentinelView, SessionStore

_REPLICA = re.compile(r"slave\d+")
_PAGE = 1000
_DOWN = frozenset({"s_down", "o_down", "disconnected"})


_NOT_TRUSTED = "CERTIFICATE_VERIFY_FAILED"


class _Sentinel(Sentinel):
    """Sentinels whose primary is reached in a way of its own."""

    def __init__(self, way_to: Callable[[str, int], tuple[str, int]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._way_to = way_to

    def discover_master(self, service_name: str) -> tuple[str, int]:
        host, port = super().discover_master(service_name)
        return self._way_to(host, int(port))


class RedisStore:
    """One connection to the store's own database.

    Every method but `close` raises StoreRefused, and CannotTell where it is this side that does not trust the store, or
    does not get to it.
    """

    def __init__(
        self,
        store: SessionStore,
        address: str,
        *,
        timeouts_s: tuple[float, float],
        sentinels: Sequence[str] = (),
        ca_file: Path | None = None,
        vouched: bool = False,
        way_to: Callable[[str, int], tuple[str, int]] = lambda host, port: (host, port),
        way_failed: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`address` (HOST:PORT) leads to `store` from here; where `sentinels` (HOST:PORT) are given, they say where the
        primary is that the store names; `ca_file` (PEM) says whom to trust. Connects at the first question.

        `vouched`: the way leads to a pod that the API server vouches for, so that its certificate need not.
        `way_to` says how the primary that a Sentinel names (host, port) is reached from here; `way_failed` why the way
        from here did not come about, where that is why there is no answer.
        """
        self._way_failed = way_failed
        way = "" if address == store.address else f" by way of {address}"
        self._what = f"Redis at {store.address}{way}, database {store.database}"
        # By another way than Harbor's, and of a primary that a Sentinel names by its address, the name is another.
        by_name = not sentinels and split(address)[0] == store.host
        common: dict[str, Any] = {
            **_security(store, ca_file, by_name=by_name, vouched=vouched),
            **_patience(timeouts_s),
        }
        login: dict[str, Any] = {"username": store.user or None, "password": store.password or None}
        settings: dict[str, Any] = {"db": store.database, "client_name": "harbor-verify", **login, **common}
        self._primary, self._sentinels = store.primary, tuple(sentinels)
        self._sentinel: Sentinel | None = None
        self._with_password: list[Any] = []
        if sentinels:
            self._what = f"Redis primary {store.primary} of the Sentinels {', '.join(sentinels)}"
            self._sentinel = _Sentinel(
                way_to, [_host_and_port(each) for each in sentinels], sentinel_kwargs=common
            )
            self._with_password = [
                redis.Redis(host=host, port=port, **login, **common) if store.password else None
                for host, port in map(_host_and_port, sentinels)
            ]
            self._client = self._sentinel.master_for(store.primary, **settings)
        else:
            host, port = _host_and_port(address)
            self._client = redis.Redis(host=host, port=port, **settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()
        for sentinel in (
            *(self._sentinel.sentinels if self._sentinel else ()),
            *filter(None, self._with_password),
        ):
            sentinel.close()

    def time_to_live_s(self, key: str) -> int | None:
        """Seconds that a key has left, -1 when it stays for ever, None when there is no such key."""
        left = self._ask(self._client.ttl, key)
        return None if left == -2 else int(left)

    def kind_of(self, key: str) -> str:
        """The type of a key: string, hash, …; none."""
        return self._ask(self._client.type, key).decode()

    def keys(self, pattern: str) -> Iterator[str]:
        """Keys that fit a pattern, a page at a time (SCAN); one may come twice."""
        cursor = 0
        while True:
            cursor, found = self._ask(lambda at: self._client.scan(at, pattern, _PAGE), cursor)
            yield from (key.decode(errors="replace") for key in found)
            if cursor == 0:
                return

    def fields(self, key: str) -> dict[str, str]:
        """The fields of a hash; {} when there is no such key."""
        told = self._ask(self._client.hgetall, key)
        return {name.decode(errors="replace"): text.decode(errors="replace") for name, text in told.items()}

    def members(self, key: str) -> set[str]:
        """The members of a set; empty when there is no such key."""
        return {member.decode(errors="replace") for member in self._ask(self._client.smembers, key)}

    def now_s(self) -> int:
        """Its clock (TIME), in seconds of Unix."""
        return int(self._ask(self._client.time)[0])

    def scored(self, key: str) -> list[tuple[str, int]]:
        """The members of a sorted set with their scores, in the order of these; [] when there is no such key."""
        found = self._ask(lambda: self._client.zrange(key, 0, -1, withscores=True))
        return [(member.decode(errors="replace"), int(score)) for member, score in found]

    def facts(self, section: str) -> dict[str, Any]:
        """INFO of a section: replication, persistence, …"""
        return self._ask(self._client.info, section)

    def setting(self, name: str) -> str:
        """CONFIG GET, which not everybody may ask; empty where it knows no such setting."""
        return str(self._ask(self._client.config_get, name).get(name, ""))

    def redundancy(self) -> Redundancy:
        """What INFO replication says of servers that follow. What is refused is no reason to raise."""
        try:
            told = self.facts("replication")
        except StoreRefused as refused:
            return self._by_sentinels() or Redundancy(None, str(refused))
        if told.get("role") == "slave":
            is_fed = told.get("master_link_status") == "up"
            seen = f"it follows {told.get('master_host')}, and the link is {'up' if is_fed else 'down'}"
            return Redundancy(True if is_fed else None, seen)
        states = [each.get("state") for name, each in told.items() if _REPLICA.fullmatch(name)]
        online = states.count("online")
        if online:
            follow = "1 replica follows it" if online == 1 else f"{online} replicas follow it"
            return Redundancy(True, f"{follow} (INFO replication)")
        if told.get("connected_slaves"):
            waiting = ", ".join(map(str, states)) or "not told"
            return Redundancy(None, f"a replica is being given everything (state {waiting})", passing=True)
        return Redundancy(False, "no replica follows it (connected_slaves is 0 in INFO replication)")

    def _by_sentinels(self) -> Redundancy | None:
        """For a primary that is out of reach: what the first Sentinel says that answers; None: none does."""
        self._unlock()
        for sentinel in self._sentinel.sentinels if self._sentinel else ():
            try:
                told = sentinel.execute_command("SENTINEL", "SLAVES", self._primary)
            except (redis.RedisError, OSError):
                continue
            alive = sum(_is_up(_pairs(each)) for each in told)
            return Redundancy(alive > 0, f"the Sentinels know {len(told)} replicas, {alive} of them alive")
        return None

    def sentinel_views(self) -> list[SentinelView | StoreRefused]:
        """What each of the Sentinels says; of one that does not say it, why. Raises nothing.

        Source: SENTINEL MASTER, SENTINELS, SLAVES, CKQUORUM.
        """
        self._unlock()
        clients = self._sentinel.sentinels if self._sentinel else ()
        return [self._view(*each) for each in zip(self._sentinels, clients, strict=True)]

    def _view(self, address: str, sentinel: Any) -> SentinelView | StoreRefused:
        try:
            state = sentinel.execute_command("SENTINEL", "MASTER", self._primary)
            others = sentinel.execute_command("SENTINEL", "SENTINELS", self._primary)
            replicas = sentinel.execute_command("SENTINEL", "SLAVES", self._primary)
        except (redis.RedisError, OSError) as refused:
            return StoreRefused(f"Sentinel {address}: {refused}")
        told = _pairs(state)
        alive = sum(_is_up(_pairs(each)) for each in others)
        try:
            sentinel.execute_command("SENTINEL", "CKQUORUM", self._primary)
            refusal = ""
        except redis.ResponseError as answer:
            # Words of their own; any other answer means that the command is not known, or not allowed.
            refusal = str(answer) if str(answer).startswith("NOQUORUM") else ""
        except (redis.RedisError, OSError) as refused:
            return StoreRefused(f"Sentinel {address}: {refused}")
        barred = _barred([_pairs(each) for each in replicas])
        return SentinelView(address, 1 + len(others), 1 + alive, int(told.get("quorum", 0)), refusal, barred)

    def _unlock(self) -> list[str]:
        """Give the Redis's password to Sentinels that ask for one; those that do not take it, in words.

        Harbor's setting holds one password. One that asks for none is not told it.
        """
        refusals = []
        sentinels = self._sentinel.sentinels if self._sentinel else []
        for number, sentinel in enumerate(sentinels):
            if not _asks_for_password(sentinel):
                continue
            other = self._with_password[number]
            if other is None or other is sentinel or _asks_for_password(other):
                refusals.append(self._sentinels[number])
            else:
                sentinels[number] = other
        return refusals

    def _ask(self, command: Any, *words: Any) -> Any:
        try:
            return self._ask_once(command, *words)
        except StoreRefused as refused:
            if not isinstance(refused.__cause__, redis.sentinel.MasterNotFoundError):
                raise
            if locked := self._unlock():
                raise CannotTell(
                    f"{self._what}: {', '.join(locked)} ask for a password, which is not the one of the Redis that "
                    "Harbor's setting holds"
                ) from None
            return self._ask_once(command, *words)

    def _ask_once(self, command: Any, *words: Any) -> Any:
        try:
            return command(*words)
        except (redis.RedisError, OSError) as refused:
            if _NOT_TRUSTED in str(refused) and "expired" not in str(refused):
                raise CannotTell(
                    f"{self._what}: this side does not trust its certificate: {refused}. "
                    "--session-store-ca-file names whom to trust."
                ) from refused
            if failure := self._way_failed():
                raise CannotTell(
                    f"{self._what} cannot be reached by port-forward to its pod: {failure}"
                ) from refused
            raise StoreRefused(f"{self._what}: {refused}") from refused


def _asks_for_password(client: Any) -> bool:
    try:
        client.ping()
    except redis.AuthenticationError:
        return True
    except (redis.RedisError, OSError):
        pass
    return False


def _security(store: SessionStore, ca_file: Path | None, *, by_name: bool, vouched: bool) -> dict[str, Any]:
    """How TLS is spoken, where it is: whose certificate is taken."""
    if not store.tls:
        return {"ssl": False}
    trusted = {"ssl_cert_reqs": "none"} if vouched else {"ssl_ca_certs": str(ca_file)} if ca_file else {}
    return {"ssl": True, "ssl_check_hostname": by_name and not vouched, **trusted}


def _patience(timeouts_s: tuple[float, float]) -> dict[str, Any]:
    """How every connection is made: with deadlines, and nothing tried again behind one's back."""
    return {
        "socket_connect_timeout": timeouts_s[0],
        "socket_timeout": timeouts_s[1],
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        # The one that Redis before 6 speaks too: the first Harbors need no newer.
        "protocol": 2,
    }


def _host_and_port(address: str) -> tuple[str, int]:
    host, port = split(address)
    return host, int(port)


def _pairs(words: Sequence[bytes]) -> dict[str, str]:
    """A Sentinel's answer, name and value in turn, as a mapping."""
    texts = [word.decode() for word in words]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _barred(replicas: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """All of them (HOST:PORT), where none is ever to be made primary."""
    if any(replica.get("slave-priority") != "0" for replica in replicas):
        return ()
    return tuple(replica.get("name", "a replica") for replica in replicas)


def _is_up(state: dict[str, str]) -> bool:
    return _DOWN.isdisjoint(state.get("flags", "").split(","))
