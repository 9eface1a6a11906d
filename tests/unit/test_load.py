"""Load beside the probes: by a process of its own, bounded, ended with whoever started it; told, and never judged."""

import importlib.util
import os
import subprocess
import sys
import time

import pytest

from harbor_verify import command
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.image import Image, digest_of
from harbor_verify.errors import CannotTell, DeadlinePassed, NeedMissing
from harbor_verify.history import Recorder
from harbor_verify.load import process
from harbor_verify.load.plan import Done, Plan
from harbor_verify.load.process import LOAD, Load, require_locust
from harbor_verify.survival import Survival, together
from tests.unit.local_server import AnsweringHandler, LocalServer

SECRET = "a-robots-secret"


def plan(url="http://127.0.0.1:9", **more):
    known = Image.make(b"known", run_id="r")
    told = {
        "url": url,
        "verify": True,
        "clients": 5,
        "credentials": Credentials("robot$p+m", SECRET),
        "pulls_from": "p/known",
        "digest": known.digest,
        "pushes_to": "p/load",
        "run_id": "r",
        "most_bytes": 10**6,
        "timeouts_s": (2.0, 5.0),
    }
    return Plan(**{**told, **more})


def program(body):
    """A program in the place of the engine; `told` is its plan."""
    head = "import json, sys, time\ntold = json.loads(sys.stdin.readline())\n"
    head += "def say(**done):\n    print(json.dumps(done), flush=True)\n"
    return [sys.executable, "-c", head + body]


UNTIL_THE_END = "say(pulls=7, pushes=2, seconds=2.0, p99_ms=40.0)\nsys.stdin.read()\n"


def test_the_plan_comes_through_whole_and_by_standard_input_alone():
    assert Plan.parse(plan().line()) == plan()
    see = "say(pulls=told['clients'], pushes=1, error=str([told['credentials']['password'] in w for w in sys.argv]))\n"
    with Load(plan(), Recorder(), argv=program(see + "sys.stdin.read()")) as load:
        load.await_work(timeout_s=20)
        words = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert load.done.pulls == 5
    assert SECRET not in words


def test_what_was_done_is_in_the_history_each_time_and_at_the_end():
    recorder = Recorder()
    with Load(plan(), recorder, argv=program(UNTIL_THE_END)) as load:
        load.await_work(timeout_s=20)
        assert load.end() is None
    assert load.done == Done(pulls=7, pushes=2, seconds=2.0, p99_ms=40.0)
    assert load.done.measured["load_rate_per_s"] == 4.5
    assert [event.value["load_pulls"] for event in recorder.history().events if event.name == LOAD] == [7]


def test_it_ends_with_the_block_whatever_is_raised_and_when_it_does_not_listen(monkeypatch):
    monkeypatch.setattr(process, "_ENDS_WITHIN_S", 0.3)
    stubborn = program("say(pulls=1, pushes=1)\ntime.sleep(600)")
    load = Load(plan(), Recorder(), argv=stubborn)
    with pytest.raises(KeyboardInterrupt), load:  # noqa: PT012 - what is raised within it
        load.await_work(timeout_s=20)
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(load._process.pid, 0)


def test_load_that_ended_by_itself_cannot_tell_how_harbor_does_under_load():
    with Load(plan(), Recorder(), argv=program("sys.exit('no such thing')")) as load:
        with pytest.raises(CannotTell, match="exit code 1: no such thing"):
            load.await_work(timeout_s=20)
    with Load(plan(), Recorder(), argv=program("say(pulls=1, pushes=1)")) as load:
        load._process.wait(20)
        load._thread.join(20)
        assert "too early" in str(load.end())


def test_a_load_that_gets_nothing_is_told_with_why():
    nothing = program("say(failed=9, error='PUT: 500')\nsys.stdin.read()")
    with Load(plan(), Recorder(), argv=nothing) as load:
        time.sleep(0.5)
        with pytest.raises(DeadlinePassed, match="0 pulls, 0 pushes; PUT: 500"):
            load.await_work(timeout_s=1)


def test_without_locust_the_check_is_blocked(monkeypatch):
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NeedMissing, match=r"harbor-verify\[load\]"):
        require_locust()


def test_locust_never_comes_into_the_process_that_probes(monkeypatch):
    """Installed, it is a plugin of pytest as well, which would be loaded in each run."""
    assert not {"locust", "gevent", "pytest_locust"} & sys.modules.keys()
    assert "no:locust" in command._PYTEST
    monkeypatch.setitem(sys.modules, "locust", object())
    with pytest.raises(NeedMissing, match="-p no:locust"):
        require_locust()


def test_the_figures_of_the_load_are_among_those_of_the_check_and_of_repeats_the_worst():
    times = [
        Survival((), load=Done(pulls=8, pushes=2, failed=1, seconds=s, p99_ms=ms).measured)
        for s, ms in ((2.0, 10.0), (5.0, 30.0))
    ]
    assert times[0].measured["load_rate_per_s"] == 5
    assert together(times).measured["load_rate_per_s"] == 2
    assert together(times).measured["load_p99_ms"] == 30
    assert together(times).measured["load_failed"] == 2


class Registry(AnsweringHandler):
    """As much of a registry as an image takes, which refuses every fifth manifest that is pushed."""

    blobs, manifests, asked = {}, {}, {"token": 0, "manifest": 0}

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/service/token"):
            self.asked["token"] += 1
            self.answer(200, b'{"token": "e30.e30.x"}')
        elif "/manifests/" in self.path and name in self.manifests:
            self.answer(200, self.manifests[name], Docker_Content_Digest=name)
        elif name in self.blobs:
            self.answer(200, self.blobs[name])
        else:
            self.answer(404)

    def do_POST(self):
        self._body()
        self.answer(202, Location=f"/v2/up/{time.monotonic_ns()}")

    def do_PATCH(self):
        content = self._body()
        self.blobs[digest_of(content)] = content
        self.answer(202, Location=self.path)

    def do_PUT(self):
        content = self._body()
        if "/manifests/" not in self.path:
            self.answer(201)
            return
        self.asked["manifest"] += 1
        if self.asked["manifest"] % 5 == 0:
            self.answer(500)
            return
        self.manifests[digest_of(content)] = content
        self.answer(201, Docker_Content_Digest=digest_of(content))


@pytest.fixture
def registry():
    known = Image.make(b"known", run_id="r")
    kept = type("Kept", (Registry,), {"blobs": {}, "manifests": {}, "asked": {"token": 0, "manifest": 0}})
    kept.manifests[known.digest] = known.manifest
    kept.blobs |= {digest_of(each): each for each in (known.configuration, known.layer)}
    with LocalServer(("127.0.0.1", 0), kept).running() as server:
        yield server.url, kept


# Not importorskip: importing it here would replace the threads of this process.
@pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="--load is an extra")
def test_locust_pulls_and_pushes_within_its_bounds_and_tells_what_failed(registry):
    url, kept = registry
    size = Image.make(bytes(512), run_id="r").size_bytes
    recorder = Recorder()
    with Load(plan(url, clients=10, most_bytes=12 * size + 2000), recorder) as load:
        load.await_work(timeout_s=60)
        deadline = time.monotonic() + 30
        while load.done.pulls < 40 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert load.end() is None
    done = load.done
    assert done.pulls >= 40, done
    assert 8 <= done.pushes <= 12
    assert done.failed == kept.asked["manifest"] // 5
    assert "500" in done.error
    assert done.pushed_bytes <= 12 * size + 2000
    assert 0 < done.p50_ms <= done.p99_ms, "rounded, as Locust tells them"
    assert done.longest_ms > 0
    assert kept.asked["token"] <= 10 * 3, "a token is kept, as docker keeps it"
    assert [event.name for event in recorder.history().events].count(LOAD) >= 2
