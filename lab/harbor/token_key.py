"""The key that signs tokens for the registry, in the file that both generations read in the same way."""

import base64
import hashlib
import json
import secrets
import string
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "harbor-token-issuer"
_PKCS1 = b"-----BEGIN RSA PRIVATE KEY-----"

Access = dict[str, Any]
"""type, name, actions: as it stands in a token."""


class KeyUnusable(Exception):
    """There is no key, or it is in a form that Harbor does not read."""


class TokenKey:
    """The file is read for each token, as Harbor does, so that a changed key counts at once; it is parsed once."""

    header = ("typ", "alg", "kid")
    """Of a token, in this order."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._parsed: tuple[bytes, rsa.RSAPrivateKey, str] | None = None

    def issue(
        self, subject: Mapping[str, str], service: str, access: list[Access] | None, minutes: int
    ) -> dict[str, Any]:
        """token, expires_in (s), issued_at; `subject` is what it says of whom it is for. Raises KeyUnusable."""
        now_s = int(time.time())
        claims = {
            "iss": ISSUER,
            **subject,
            "aud": service,
            "exp": now_s + minutes * 60,
            "nbf": now_s,
            "iat": now_s,
            "jti": "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16)),
            "access": access,
        }
        return {
            "token": self._signed(claims),
            "expires_in": minutes * 60,
            "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)),
        }

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token; None when this key has not signed it. Raises KeyUnusable."""
        key, _ = self._load()
        signed, _, signature = token.rpartition(".")
        try:
            header, claims = (json.loads(_from_base64url(part)) for part in signed.split("."))
            if header["alg"] != "RS256":
                return None
            key.public_key().verify(
                _from_base64url(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return None
        return claims if isinstance(claims, dict) else None

    def _signed(self, claims: dict[str, Any]) -> str:
        key, key_id = self._load()
        known = {"typ": "JWT", "alg": "RS256", "kid": key_id}
        header = {name: known[name] for name in self.header}
        signed = ".".join(
            _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"

    def _load(self) -> tuple[rsa.RSAPrivateKey, str]:
        try:
            pem = self._file.read_bytes()
        except OSError:
            raise KeyUnusable("key file does not exist") from None
        with self._lock:
            if self._parsed is None or self._parsed[0] != pem:
                key = _parse(pem)
                self._parsed = (pem, key, key_id(key.public_key()))
            return self._parsed[1:]


def key_id(key: rsa.RSAPublicKey) -> str:
    """libtrust's name of a public key: the first 240 bits of its SHA-256, in base 32, by fours."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digits = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def _parse(pem: bytes) -> rsa.RSAPrivateKey:
    if _PKCS1 not in pem:
        kind = pem.partition(b"-----BEGIN ")[2].partition(b"-----")[0].decode(errors="replace")
        raise KeyUnusable(
            f"unable to decode private key PEM: unable to get PrivateKey from PEM type: {kind}"
            if kind
            else "unable to decode private key PEM"
        )
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except ValueError as failure:
        raise KeyUnusable(f"unable to decode private key PEM: {failure}") from None
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
