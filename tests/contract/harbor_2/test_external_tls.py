"""What core does where TLS ends in front of it: clients are sent to https, and the form's cookie is for TLS only.

There is no recording of it; scanners that people ran against Harbor show it: Secure on the form's cookie, not on the
session's (goharbor/harbor#23229).
"""

import pytest

from tests.contract.harbor_2.stack import EXTERNAL_URL


@pytest.fixture
def core_b_behind_tls(stack):
    stack.restart_core("core-b", EXT_ENDPOINT=EXTERNAL_URL.replace("http:", "https:"))
    yield "core-b"
    stack.restart_core("core-b")


def test_the_forms_cookie_is_for_tls_only_and_the_sessions_is_as_ever(client, core_b_behind_tls):
    def cookies(core):
        _, headers, _, _ = client.request(core, "GET", "/c/login")
        given = [value for name, value in headers if name == "Set-Cookie"]
        return {value.partition("=")[0]: value.split("; ")[1:] for value in given}

    plain, behind_tls = cookies("core-a"), cookies(core_b_behind_tls)
    assert "Secure" not in plain["_gorilla_csrf"]
    assert behind_tls["_gorilla_csrf"][-3:] == ["HttpOnly", "Secure", "SameSite=Strict"]
    assert behind_tls["sid"] == plain["sid"] == ["Path=/", "HttpOnly"]


def test_clients_are_sent_to_https_for_tokens(client, core_b_behind_tls):
    _, headers, _, _ = client.request(core_b_behind_tls, "GET", "/v2/", {"Host": "harbor.example"})
    challenge = dict(headers)["Www-Authenticate"]
    assert challenge.startswith('Bearer realm="https://harbor.example/service/token"')
    assert client.knows(client.log_in(to=core_b_behind_tls), "core-a") == 200
