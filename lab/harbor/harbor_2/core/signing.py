"""The key that signs the tokens of the registry, the tokens, and what they are worth when they come back."""

import base64
import hashlib
import json
import secrets
import string
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "harbor-token-issuer"
_PKCS1 = b"-----BEGIN RSA PRIVATE KEY-----"
_SKEW_S = 10
"""By how much clocks may differ."""

Access = dict[str, Any]
"""type, name, actions: as it stands in a token."""


class KeyUnusable(Exception):
    """There is no key, or it is in a form that Harbor does not read."""


class SigningKey:
    """The file is read for each token, as Harbor does, so that a changed key counts at once; it is parsed once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._parsed: tuple[bytes, rsa.RSAPrivateKey, str] | None = None

    def token(self, user: str, service: str, access: list[Access] | None, minutes: int) -> dict[str, Any]:
        """A token and how long it holds, as the token service answers; without a `user`, nobody's.

        Raises KeyUnusable.
        """
        key, key_id = self._load()
        now_s = int(time.time())
        claims = {
            "iss": ISSUER,
            **({"sub": user} if user else {}),
            "aud": service,
            "exp": now_s + minutes * 60,
            "nbf": now_s,
            "iat": now_s,
            "jti": "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16)),
            "access": access,
        }
        header = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
        signed = ".".join(
            _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        text = f"{signed}.{_base64url(signature)}"
        return {
            "token": text,
            "access_token": "",
            "expires_in": minutes * 60,
            "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)),
        }

    def claims(self, token: str, service: str) -> dict[str, Any] | None:
        """What a token says; None when this key has not signed it, or it holds no more, or it is for something else.

        Raises KeyUnusable.
        """
        key, _ = self._load()
        signed, _, signature = token.rpartition(".")
        try:
            header, body = (json.loads(_from_base64url(part)) for part in signed.split("."))
            if header["alg"] != "RS256":
                return None
            key.public_key().verify(
                _from_base64url(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            now_s = time.time()
            holds = body["nbf"] - _SKEW_S <= now_s < body["exp"] + _SKEW_S
            audience = body["aud"] if isinstance(body["aud"], list) else [body["aud"]]
            return body if holds and body["iss"] == ISSUER and service in audience else None
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return None

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
