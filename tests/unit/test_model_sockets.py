"""What Linux lists of TCP connections: lines as the kernel of this machine writes them."""

import socket
from pathlib import Path

import pytest

from harbor_verify.model.sockets import connected_with, remote_ends

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000 10000        0 4242 1 0000000000000000 20 4 30 10 -1\n"


def line(remote, state="01", local="0A00000A:B1C4"):
    return f"   0: {local} {remote} {state} {REST}"


@pytest.mark.parametrize(
    "remote, end",
    [
        ("0500060A:1538", ("10.6.0.5", 5432)),
        ("0000000000000000FFFF00000500060A:1538", ("10.6.0.5", 5432)),
        ("B80D0120000000000000000005000000:1538", ("2001:db8::5", 5432)),
        ("0100007F:0CEA", ("127.0.0.1", 3306)),
    ],
)
def test_the_other_end_is_read_in_either_form(remote, end):
    assert list(remote_ends(HEADER + line(remote))) == [end]


@pytest.mark.parametrize("state", ["02", "06", "08", "0A"])
def test_what_is_not_open_is_no_connection(state):
    assert not list(remote_ends(HEADER + line("0500060A:1538", state)))


def test_of_a_port_each_end_is_told_once():
    text = HEADER + 2 * line("0500060A:1538") + line("0600060A:18EB") + HEADER
    assert connected_with(text, 5432) == {"10.6.0.5:5432"}
    assert connected_with(text, 5433) == set()


def test_connections_of_this_machine_are_read():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert connected_with(Path("/proc/net/tcp").read_text(), port) == {f"127.0.0.1:{port}"}
