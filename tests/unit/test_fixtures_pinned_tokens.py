"""Tokens for one registry replica: of a web replica that it trusts, for whoever asks, or for nobody."""

import time
from itertools import cycle
from types import SimpleNamespace

import pytest

from harbor_verify import logins
from harbor_verify import target as module
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.token_service import KeptTokens, Token
from harbor_verify.errors import NoAnswer
from harbor_verify.target import Target

ADMIN, USER = Credentials("admin", "x"), Credentials("verify-1", "y")


@pytest.fixture
def tokens(monkeypatch):
    """`tokens(signers, credentials)`: what a registry is shown which trusts "good" alone, and who asked."""
    asked = []

    def fetch(http, credentials, scope):
        asked.append(credentials)
        assert http != "good" or credentials != ADMIN, "the administrator's come from the front door"
        if http.endswith("silent"):
            raise NoAnswer("no answer", sent=True)
        return Token(http.removeprefix("front: "), {}, {})

    def registry(link):
        return SimpleNamespace(
            accepts=lambda text: SimpleNamespace(status_code=200 if text == "good" else 401)
        )

    monkeypatch.setattr(logins.token_service, "fetch", fetch)
    monkeypatch.setattr(module, "Registry", registry)

    def run(signers, credentials):
        access = SimpleNamespace(kubernetes=None, namespace="h", credentials=ADMIN, url="http://h")
        target = Target(access, None, None)
        target.replicas = lambda role: signers
        # Behind the front door another one each time.
        behind = cycle(signers)
        target.new_front_door = lambda: SimpleNamespace(http=f"front: {next(behind)}", close=lambda: None)
        target.web = lambda replica: SimpleNamespace(http=replica)
        authorise = target.pinned_tokens(None, credentials)
        assert authorise("repository:p/r:pull") == authorise("repository:p/r:pull")
        return authorise("repository:p/r:pull"), asked

    return run


@pytest.mark.parametrize("credentials", [USER, ADMIN, None])
@pytest.mark.parametrize("signers", [["good"], ["other", "good"], ["silent", "good"]])
def test_the_token_is_of_the_first_web_replica_that_the_registry_trusts_and_is_asked_for_once(
    tokens, signers, credentials
):
    text, asked = tokens(signers, credentials)
    assert text == "Bearer good"
    assert asked == [credentials] * len(signers)


def test_what_the_registry_says_of_an_untrusted_token_is_then_the_answer(tokens):
    assert tokens(["other", "silent"], None)[0] == "Bearer other"


def test_without_any_token_harbor_gave_no_answer(tokens):
    with pytest.raises(NoAnswer, match="no web replica gives a token"):
        tokens(["silent"], None)


def test_a_token_that_does_not_live_for_long_is_asked_for_anew_before_it_ends():
    asked = []

    def ask(scope):
        asked.append(scope)
        return Token(f"{scope} {len(asked)}", {}, {"iat": 1000, "exp": 1000.4})

    kept = KeptTokens(ask)
    assert kept("a") == "a 1"
    assert kept("a") == "a 1"
    assert kept("b") == "b 2"
    time.sleep(0.35)
    assert kept("a") == "a 3"


@pytest.mark.parametrize("claims", [{}, {"exp": 1060}, {"exp": "never", "iat": None}])
def test_a_token_that_does_not_say_for_how_long_it_lives_is_kept(claims):
    kept = KeptTokens(lambda scope: Token("t", {}, claims))
    assert kept("a") == kept("a") == "t"
    assert Token("t", {}, claims).lifetime_s == float("inf")
