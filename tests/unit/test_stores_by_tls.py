"""A registry that sends clients on to a store with TLS: whose certificates are taken there."""

import ssl

import pytest

from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.registry import Registry
from harbor_verify.errors import CannotTell, NoAnswer
from harbor_verify.settings import Settings
from tests.unit.certificates import new_certificate
from tests.unit.test_fixtures_node_link import door

CONTENT = b"a layer"


@pytest.fixture
def private(tmp_path):
    return new_certificate(tmp_path / "store.pem", "localhost")


def pulled(place, **settings):
    """What a registry's client gets of a blob that is at that place."""
    with door(answer=(307, {"Location": place}, b"")) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        with HttpClient("registry-0", url, timeouts_s=(5, 5), verify=Settings(**settings).verify) as link:
            return Registry(link).ask_blob("GET", "p/r", "sha256:" + "0" * 64).content


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_authority_that_is_not_known_here_says_nothing_of_harbor(private):
    with door(certificate=private, answer=(200, {}, CONTENT)) as store:
        place = f"https://localhost:{store.server_port}/blob"
        with pytest.raises(CannotTell, match="no authority that is known here has signed it; --ca-file"):
            pulled(place)
        assert pulled(place, ca_file=private) == CONTENT
        assert pulled(place, insecure=True) == CONTENT


def test_a_store_that_is_not_there_is_no_answer():
    with pytest.raises(NoAnswer):
        pulled("https://localhost:9/blob")


def test_a_file_of_authorities_is_trusted_beside_the_public_ones(private):
    context = ssl.create_default_context(cafile=Settings(ca_file=private).verify)
    assert len(context.get_ca_certs()) > 50
    assert any("localhost" in str(each["subject"]) for each in context.get_ca_certs())
