"""How the programs start and end: exit codes, what they say, what they wait for."""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.contract.harbor_1.replay import Client
from tests.contract.harbor_1.stack import DATABASE_USER, HOST, PYTHON, STAND_IN, adminserver
from tests.contract.programs import is_open, wait


@pytest.mark.parametrize(
    "setting, reason",
    [
        ({"password": "wrongpw"}, "WRONGPASS"),
        ({"password": ""}, "NOAUTH Authentication required."),
        ({"address": f"{HOST}:1"}, "onnection refused"),
        ({"address": "nosuchredis.invalid:6379"}, "nosuchredis"),
        ({"address": "redis://:x@127.0.0.1:6379/11"}, "too many colons in address"),
        ({"database": "99"}, "ERR DB index is out of range"),
    ],
)
def test_a_ui_whose_redis_refuses_ends_with_2_at_once(stack, setting, reason):
    """Recorded in sessions.json, observations 'start with …'."""
    ui = stack.ui("ui7", _REDIS_URL=stack.redis_url(**setting))
    ui.launch()
    assert ui.exit_code() == 2
    panic = ui.log().rpartition("panic: ")[2]
    assert reason in panic
    assert "http server Running" not in ui.log()
    ui.log_file.unlink()


def test_a_pool_size_that_is_no_number_is_passed_over(stack):
    """Recorded in sessions.json, observation 'start with pool size text'."""
    ui = stack.ui("ui7", _REDIS_URL=stack.redis_url(size="abc"))
    ui.start()
    ui.end()


@pytest.mark.parametrize(
    "settings, environment, reason",
    [
        ({}, {"UI_SECRET": "wrong"}, "failed to get configurations: 401 Unauthorized"),
        ({}, {"UI_SECRET": ""}, "failed to get configurations: 401 Unauthorized"),
        ({"MYSQL_PWD": "wrong"}, {}, f"Error 1045: Access denied for user '{DATABASE_USER}'"),
        ({"MYSQL_DATABASE": "nosuchdb"}, {}, "Error 1044: Access denied for user"),
        ({"MYSQL_USR": "nopriv", "MYSQL_PWD": "x"}, {}, "Error 1044: Access denied for user 'nopriv'"),
    ],
)
def test_a_ui_that_is_refused_ends_with_1_at_once(stack, settings, environment, reason):
    """Recorded in faults.json, observations 'ui start, …'."""
    stack.sql("CREATE USER IF NOT EXISTS nopriv@'%' IDENTIFIED BY 'x'", "mysql")
    store = stack.another_adminserver("another", **settings)
    store.start()
    ui = stack.ui("ui7", **{"ADMIN_SERVER_URL": f"http://{HOST}:{store.port}", **environment})
    ui.launch()
    code = ui.exit_code()
    store.end()
    assert code == 1
    assert reason in ui.log()
    ui.log_file.unlink()


def test_sigterm_ends_a_ui_at_once_also_while_it_answers(stack):
    """Recorded in faults.json, observation 'ui stopped by SIGTERM'."""
    ui = stack.ui("ui7")
    ui.start()
    headers = {"Authorization": "Basic YWRtaW46d3Jvbmc="}  # a wrong password: is answered after 1.5 s
    client, broken = Client(stack), []

    def ask() -> None:
        try:
            client.request("ui7", "GET", "/api/systeminfo", headers)
        except OSError as failure:
            broken.append(failure)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    begun_s = time.monotonic()
    ui.process.send_signal(signal.SIGTERM)
    assert ui.exit_code() == -signal.SIGTERM
    assert time.monotonic() - begun_s < 0.5
    asking.join()
    assert len(broken) == 1


def test_a_ui_that_hangs_at_its_start_is_ended_by_sigterm_at_once(stack):
    stack.redis.freeze()
    ui = stack.ui("ui7")
    try:
        ui.launch()
        time.sleep(1)
        ui.process.send_signal(signal.SIGTERM)
        assert ui.exit_code(1) == -signal.SIGTERM
    finally:
        stack.redis.thaw()


@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("unshare"), reason="needs root, for a process namespace"
)
def test_sigterm_ends_the_first_process_of_a_container(stack):
    """Where the kernel protects process 1 from signals, Go ends it with 2 all the same."""
    store = adminserver("first", stack.folder)
    namespace = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", PYTHON, STAND_IN / "bin" / "harbor_adminserver"],
        env={"PATH": os.environ["PATH"], **store.environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait(lambda: is_open(store.port), "the adminserver listens")
        (child,) = Path(f"/proc/{namespace.pid}/task/{namespace.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        assert namespace.wait(2) in (2, -signal.SIGTERM)
    finally:
        namespace.kill()
        namespace.wait()


@pytest.mark.parametrize(
    "text, address",
    [
        ("runmode = dev\n\n[dev]\nhttpport = PORT\nhttpaddr = 127.0.0.1\n", "127.0.0.1:PORT"),
        ("runmode = dev\nhttpport = PORT\nhttpaddr = 127.0.0.1\n", "127.0.0.1:PORT"),
        ("runmode = dev\r\n\r\n[dev]\r\nhttpport = PORT\r\nhttpaddr = 127.0.0.1\r\n", "127.0.0.1:PORT"),
        ("runmode = prod\n\n[dev]\nhttpport = 1\n\n[prod]\nhttpport = PORT\n", ":PORT"),
    ],
)
def test_where_app_conf_says_that_the_ui_listens(stack, text, address):
    """Recorded in startup.json, observations 'app.conf: …'."""
    ui = stack.ui("ui7")
    config = Path(ui.environment["CONFIG_PATH"])
    config.write_bytes(text.replace("PORT", str(ui.port)).encode())
    ui.start()
    assert f"http server Running on {address.replace('PORT', str(ui.port))}" in ui.log()
    ui.end()
    ui.log_file.unlink()


def test_programs_started_before_what_they_need_begin_when_it_comes(stack):
    """Recorded in faults.json, observation 'ui started 5 s before the adminserver'."""
    store = stack.another_adminserver("late")
    ui = stack.ui("ui7", ADMIN_SERVER_URL=f"http://{HOST}:{store.port}")
    ui.launch()
    wait(lambda: "retry after 2 seconds" in ui.log(), "the ui waits")
    store.start()
    ui.wait_open(5)
    ui.end()
    store.end()


def test_memory_and_start_stay_small(stack):
    ui = stack.ui("ui7")
    ui.start()
    *_, user, system = Path(f"/proc/{ui.process.pid}/stat").read_text().rpartition(")")[2].split()[:13]
    status = Path(f"/proc/{ui.process.pid}/status").read_text()
    rss_kib = int(status.partition("VmRSS:")[2].split()[0])
    ui.end()
    assert rss_kib < 45_000
    # Of a processor: how long it waits for one is the machine's business.
    assert (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") < 1.5
