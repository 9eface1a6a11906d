"""The check of the certificate that Harbor's URL shows, with a server that shows one."""

import socket
import ssl
import threading
from types import SimpleNamespace

import pytest

from harbor_verify.errors import NotApplicable
from suites.configuration.test_front_door_certificate import (
    test_the_certificate_of_the_front_door_stays_valid as check,
)
from tests.unit.certificates import new_certificate
from tests.unit.running import examine, never, not_applicable, offenders_of

SETTINGS = SimpleNamespace(certificate_days=30, connect_timeout_s=2)


@pytest.fixture
def front_door(tmp_path):
    """`front_door(days)`: a Harbor whose URL shows a certificate with so many days left."""
    listening = socket.create_server(("127.0.0.1", 0))
    started = []

    def serve(days):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(new_certificate(tmp_path / "served.pem", "localhost", days=days))

        def show():
            accepted, _ = listening.accept()
            try:
                context.wrap_socket(accepted, server_side=True).close()
            except OSError:
                accepted.close()

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        started.append(thread)
        return SimpleNamespace(url=f"https://localhost:{listening.getsockname()[1]}")

    yield serve
    for thread in started:
        thread.join(5)
    listening.close()


def test_a_certificate_that_stays_valid_is_well(front_door):
    examine(check, front_door(31), SETTINGS, never)


@pytest.mark.parametrize("days, told", [(7, "in 6 days"), (-1, "expired on")])
def test_one_that_ends_soon_is_told_while_everything_still_works(front_door, days, told):
    harbor = front_door(days)
    (offender,) = offenders_of(check, harbor, SETTINGS, never)
    assert offender.object == f"front door {harbor.url}"
    assert told in offender.observed


def test_a_url_that_speaks_no_tls_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (offender,) = offenders_of(check, SimpleNamespace(url=f"https://localhost:{port}"), SETTINGS, never)
    assert "TLS to localhost" in offender.observed


def test_without_tls_there_is_no_certificate():
    with pytest.raises(NotApplicable, match="without TLS"):
        examine(check, SimpleNamespace(url="http://h.example"), SETTINGS, not_applicable)
