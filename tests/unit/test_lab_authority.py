"""The lab's private authority: what it issues is trusted by who has its certificate, and stays the same."""

import ssl

import pytest

from lab import authority, settings


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)


def handshake(issued, host):
    """Speak TLS in memory with a server that shows `issued`, as a client that trusts the authority."""
    file = settings.STATE / "server.pem"
    file.write_text(issued.certificate + issued.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    asking = ssl.create_default_context(cafile=str(authority.certificate_file()))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=host)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert()


def test_what_it_issues_is_trusted_for_its_names_and_addresses_and_no_others():
    issued = authority.pair("door", ["198.18.255.11", "harbor.example"])
    assert handshake(issued, "198.18.255.11")
    assert handshake(issued, "harbor.example")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"harbor\.test"):
        handshake(issued, "harbor.test")


def test_it_stays_the_same_until_it_is_for_other_hosts():
    first = authority.pair("door", ["a", "b"])
    assert authority.pair("door", ["b", "a"]) == first
    other = authority.pair("door", ["c"])
    assert other != first
    assert handshake(other, "c")


def test_keys_are_their_owners_only():
    authority.pair("door", ["a"])
    files = [file for file in (settings.STATE / "authority").iterdir() if file.suffix in (".key", ".json")]
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert "PRIVATE" not in repr(authority.pair("door", ["a"]))
