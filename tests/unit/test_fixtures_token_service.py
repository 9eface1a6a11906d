"""Tokens, as docker clients carry them."""

import base64

from fixtures.clients.token_service import with_broken_signature


def test_a_broken_signature_changes_nothing_but_the_signature():
    signature = base64.urlsafe_b64encode(bytes(range(256))).rstrip(b"=").decode()
    broken = with_broken_signature(f"header.claims.{signature}")
    assert broken.startswith("header.claims.")
    decoded = base64.urlsafe_b64decode(broken.rpartition(".")[2] + "==")
    assert len(decoded) == 256
    assert not any(one == other for one, other in zip(decoded, bytes(range(256)), strict=True))
