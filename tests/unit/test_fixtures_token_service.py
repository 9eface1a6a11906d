"""Tokens, as docker clients carry them."""

import base64
import json
from types import SimpleNamespace

import pytest
import requests

from harbor_verify.clients.harbor import Credentials, basic
from harbor_verify.clients.token_service import PATH, SERVICE, fetch, with_broken_signature
from harbor_verify.errors import UnexpectedAnswer


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def a_token(**claims):
    return f"{encoded({'alg': 'RS256', 'kid': 'AB:CD'})}.{encoded(claims)}.c2lnbmVk"


class FakeLink:
    """Answers each GET with a status and a body, and keeps what it was asked."""

    name = "ui-0"

    def __init__(self, body, status=200):
        self.answer, self.asked = requests.Response(), None
        self.answer.status_code, self.answer.reason = status, "Reason"
        self.answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer.request = SimpleNamespace(method="GET", path_url=f"{PATH}?service=x")

    def get(self, path, *, params, auth):
        self.asked = (path, params, auth)
        return self.answer


def test_a_token_is_taken_apart():
    access = [
        {"type": "repository", "name": "p/r", "actions": ["push", "pull"]},
        {"type": "repository", "name": "p/r", "actions": ["*"]},
        {"type": "repository", "name": "p/other", "actions": []},
        {"type": "registry", "name": "catalog", "actions": None},
    ]
    token = fetch(FakeLink({"token": a_token(access=access, exp=7)}), None, "repository:p/r:pull")
    assert token.key_id == "AB:CD"
    assert token.claims["exp"] == 7
    assert token.grants == {"repository:p/r": {"push", "pull", "*"}}
    assert token.text not in repr(token)


@pytest.mark.parametrize("access", [None, []])
def test_a_token_may_grant_nothing(access):
    assert fetch(FakeLink({"token": a_token(access=access)}), None).grants == {}


def test_every_scope_is_asked_for_by_somebody_or_anonymously():
    link = FakeLink({"token": a_token()})
    fetch(link, Credentials("admin", "x"), "repository:a/b:pull", "repository:c/d:push")
    assert link.asked == (
        PATH,
        [("service", SERVICE), ("scope", "repository:a/b:pull"), ("scope", "repository:c/d:push")],
        basic(Credentials("admin", "x")),
    )
    fetch(link, None, path="https://h.example/service/token")
    assert link.asked == ("https://h.example/service/token", [("service", SERVICE)], None)


@pytest.mark.parametrize(
    "body", [b"", b"a page", [], {"token": None}, {"token": "no-dots"}, {"token": "a.b.c"}, {"other": 1}]
)
def test_an_answer_without_a_token_is_not_quoted(body):
    with pytest.raises(UnexpectedAnswer, match="200 without a token in it"):
        fetch(FakeLink(body), None)


def test_a_refusal_is_told_with_its_status():
    with pytest.raises(UnexpectedAnswer, match=r"GET /service/token → 401") as refused:
        fetch(FakeLink(b"", status=401), None)
    assert refused.value.status == 401


def test_a_broken_signature_changes_nothing_but_the_signature():
    signature = base64.urlsafe_b64encode(bytes(range(256))).rstrip(b"=").decode()
    broken = with_broken_signature(f"header.claims.{signature}")
    assert broken.startswith("header.claims.")
    decoded = base64.urlsafe_b64decode(broken.rpartition(".")[2] + "==")
    assert len(decoded) == 256
    assert not any(one == other for one, other in zip(decoded, bytes(range(256)), strict=True))
