"""Which connections a core keeps, which it uses again, and where it stays with them.

Recorded in connections.json, connections-idle.json, outage-redis.json and redis-replaced.json, all of v2.15.2.
"""

import os
import re
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import redis

from tests.contract.harbor_2 import exchanges, images
from tests.contract.harbor_2.stack import REDIS_PASSWORD, Stack
from tests.contract.programs import HOST, Program, free_port, open_files, wait

VERSION = "2.15"
_ESTABLISHED = "01"
_USE = "/api/v2.0/users/current"


def connections(stack: Stack, core: str, to: str) -> set[int]:
    """The ports by which a core is connected to another program, which therefore tell its connections apart."""
    process = stack[core].process
    assert process is not None
    inodes = {found[1] for link in open_files(process.pid) if (found := re.match(r"socket:\[(\d+)\]", link))}
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, mine, other, state, *rest = line.split()
        if (
            rest[5] in inodes
            and state == _ESTABLISHED
            and int(other.rpartition(":")[2], 16) == stack[to].port
        ):
            found.add(int(mine.rpartition(":")[2], 16))
    return found


def with_session(session: str) -> dict[str, str]:
    return {"Cookie": f"sid={session}"}


def at_once(client, core: str, session: str, number: int = 50) -> list[int]:
    with ThreadPoolExecutor(number) as pool:
        asked = [pool.submit(client.request, core, "GET", _USE, with_session(session)) for _ in range(number)]
        return [each.result()[0] for each in asked]


def test_requests_one_after_the_other_open_no_connection(client, stack):
    images.push(client, "library/kept", "1")
    session = client.log_in()
    bearer = {"Authorization": f"Bearer {client.token('repository:library/kept:pull')}"}
    password = {"Authorization": exchanges.credentials("admin")}
    kinds = {
        "ping without sid": ("/api/v2.0/ping", {}),
        "ping with sid": ("/api/v2.0/ping", with_session(session)),
        "users/current with sid": (_USE, with_session(session)),
        "projects": ("/api/v2.0/projects", password),
        "token service": ("/service/token?service=harbor-registry", password),
        "manifest GET by tag, bearer": ("/v2/library/kept/manifests/1", bearer | {"Accept": images.MANIFEST}),
        "/v2/ bearer": ("/v2/", bearer),
        "health": ("/api/v2.0/health", {}),
    }
    for target, headers in kinds.values():
        client.request("core-a", "GET", target, headers)
    others = ("redis", "postgresql", "registry")
    opened = {}
    for kind, (target, headers) in kinds.items():
        before = {other: connections(stack, "core-a", other) for other in others}
        assert all(before.values())
        for _ in range(10):
            assert client.request("core-a", "GET", target, headers)[0] == 200
        new = {other: len(connections(stack, "core-a", other) - before[other]) for other in others}
        # What goes on beside, as health does each 10 s, may need one more at the same time.
        if any(number > 1 for number in new.values()):
            opened[kind] = new
    assert opened == {}


def test_many_requests_at_once_leave_connections_that_stay(client, stack):
    """Idle ones to Redis are not closed, however long; but one that has lain for too long is not used again."""
    stack.restart_core("core-b", _REDIS_URL_CORE=stack.redis_url(0).replace("=30", "=2"))
    try:
        session = client.log_in(to="core-b")
        assert at_once(client, "core-b", session) == [200] * 50
        kept = connections(stack, "core-b", "redis")
        assert 3 < len(kept) <= 20 * _processors()
        time.sleep(4)
        assert kept - connections(stack, "core-b", "redis") == set()
        assert client.request("core-b", "GET", _USE, with_session(session))[0] == 200
        assert len(kept - connections(stack, "core-b", "redis")) >= 1
    finally:
        stack.restart_core("core-b")


def test_a_redis_that_is_replaced_at_once_fails_no_request(client, stack):
    """Its sessions are lost, and nobody says so."""
    session = client.log_in()
    assert at_once(client, "core-a", session) == [200] * 50
    stack["redis"].end(9)
    stack["redis"].start()
    for _ in range(15):
        assert client.request("core-a", "GET", "/api/v2.0/ping")[0] == 200
        assert client.knows(client.log_in(), "core-a") == 200
    assert client.knows(session, "core-a") == 401


def test_in_a_redis_that_was_frozen_for_long_a_session_is_taken_for_none_and_known_again(client, stack):
    session = client.log_in()
    stack["redis"].freeze()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.request, "core-a", "GET", _USE, with_session(session), timeout_s=40)
        time.sleep(14)
        stack["redis"].thaw()
        assert asked.result()[0] == 401
    assert client.knows(session, "core-a") == 200


class Proxy:
    """Leads connections to a port, and leaves those that are there where they are when it changes."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self._listening = socket.create_server((HOST, 0), backlog=200)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection((HOST, self.leads_to))
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            other = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    if not (data := ready.recv(65536)):
                        return
                    other[ready].sendall(data)


def test_a_core_stays_with_a_primary_that_was_replaced_and_is_back(client, stack):
    """The address is handed to another while it is frozen: core-b has connections to the old one, core-a has none."""
    with ExitStack() as clean_up:
        stores = [_redis(stack, f"redis-{which}", clean_up) for which in ("old", "new")]
        old, new = (program for program, _ in stores)
        proxy = Proxy(old.port)
        clean_up.callback(proxy.close)
        address = f"redis://:{REDIS_PASSWORD}@{HOST}:{proxy.port}/0?idle_timeout_seconds=30"
        for core in ("core-a", "core-b"):
            clean_up.callback(stack.restart_core, core)
        stack.restart_core("core-b", _REDIS_URL_CORE=address)
        session = client.log_in(to="core-b")
        assert at_once(client, "core-b", session) == [200] * 50
        old.freeze()
        proxy.leads_to = new.port
        waiting = threading.Thread(target=client.request, args=("core-b", "GET", "/api/v2.0/ping"))
        waiting.start()
        stack.restart_core("core-a", _REDIS_URL_CORE=address)
        old.thaw()
        waiting.join()
        for core, other, held in (("core-a", "core-b", [0, 1]), ("core-b", "core-a", [1, 0])):
            made = client.log_in(to=core)
            assert [store.exists(made) for _, store in stores] == held
            assert [client.knows(made, core), client.knows(made, other)] == [200, 401]


def _redis(stack: Stack, name: str, clean_up: ExitStack) -> tuple[Program, redis.Redis]:
    argv = list(stack["redis"].argv)
    port = free_port()
    argv[argv.index("--port") + 1] = str(port)
    program = Program(name, argv, port, stack.folder)
    program.start()
    clean_up.callback(program.end, 9)
    store = clean_up.enter_context(redis.Redis(HOST, port, password=REDIS_PASSWORD))
    wait(store.ping, f"{name} answers")
    return program, store


def _processors() -> int:
    return len(os.sched_getaffinity(0))
