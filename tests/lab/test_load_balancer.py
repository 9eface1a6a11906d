"""HAProxy takes the configuration that the lab writes. This needs HAProxy, and no lab that is up."""

from pathlib import Path

import pytest

from lab.command import run
from lab.errors import CommandFailed
from lab.stores import load_balancer


def check_by_haproxy(text: str, folder: Path) -> None:
    file = folder / "haproxy.cfg"
    file.write_text(text)
    run(["haproxy", "-c", "-f", str(file)])


def test_haproxy_understands_its_configuration(tmp_path):
    check_by_haproxy(load_balancer.configuration(), tmp_path)


def test_haproxy_would_say_so_if_it_did_not(tmp_path):
    with pytest.raises(CommandFailed, match="tcp-chek"):
        check_by_haproxy(load_balancer.configuration().replace("tcp-check", "tcp-chek"), tmp_path)
