"""The names of keys: those that the token service gives them, by an implementation of its own."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from harbor_verify.model.token_keys import key_ids
from lab.harbor.token_key import key_id


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_each_certificate_of_a_bundle_has_the_name_that_its_tokens_give_it():
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    found = key_ids("".join(certificate(key) for key in keys))
    assert found == [key_id(key.public_key()) for key in keys]
    assert [len(part) for part in found[0].split(":")] == [4] * 12


def test_what_holds_no_certificate_has_no_keys():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    for text in ("", "unused", key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()):
        assert key_ids(text) == []
