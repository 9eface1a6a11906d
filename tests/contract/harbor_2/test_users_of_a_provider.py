"""What core does where users come from a provider of identities (OIDC).

There is no recording of it: the stand-in plays what the suite looks at (status, where a sign-in is sent), in words
of its own.
"""

import json
from urllib.parse import urlencode

import pytest


@pytest.fixture
def core_b_of_a_provider(stack):
    stack.restart_core(
        "core-b", CONFIG_OVERWRITE_JSON=json.dumps({"auth_mode": "oidc_auth", "oidc_name": "p"})
    )
    yield "core-b"
    stack.restart_core("core-b")


def test_the_administrator_signs_in_by_the_form_all_the_same(client, core_b_of_a_provider):
    told = client.api("GET", "/systeminfo", to=core_b_of_a_provider)[2]
    assert (told["auth_mode"], told["oidc_provider_name"]) == ("oidc_auth", "p")
    assert client.knows(client.log_in(to=core_b_of_a_provider), "core-a") == 200


def test_whom_the_database_does_not_know_is_sent_to_the_provider(client, core_b_of_a_provider):
    cookie, token = client.csrf(core_b_of_a_provider)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"_gorilla_csrf={cookie}",
        "X-Harbor-CSRF-Token": token,
    }
    form = urlencode({"principal": "somebody", "password": "Else12345"})
    status, _, body, _ = client.request(core_b_of_a_provider, "POST", "/c/login", headers, form)
    assert status == 403
    assert json.loads(body)["redirect_location"].endswith("/c/oidc/login")


def test_no_user_is_made(client, core_b_of_a_provider):
    user = {"username": "new", "email": "new@example.com", "realname": "new", "password": "Aa1345678"}
    status, _, body = client.api("POST", "/users", user, to=core_b_of_a_provider)
    assert (status, body["errors"][0]["code"]) == (403, "FORBIDDEN")
    assert "oidc_auth" in body["errors"][0]["message"]
