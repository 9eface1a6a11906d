"""The administrator's password from a Secret of the cluster, by a real client and an API server of a few lines."""

import base64

import pytest

from harbor_verify.errors import RightMissing, SettingsError, TargetUnreachable
from harbor_verify.providers import existing
from harbor_verify.settings import Settings
from tests.unit import api_servers
from tests.unit.api_servers import ApiHandler


@pytest.fixture
def provided(monkeypatch):
    """`provided(data, name)`: the access to a cluster that has this data in Secret `login` of namespace `harbor`."""

    def provide(data, name="login", *, status=200, user="admin"):
        class Handler(ApiHandler):
            def do_GET(self):
                if self.path != "/api/v1/namespaces/harbor/secrets/login":
                    return self.answer(404, {"kind": "Status", "message": "not found"})
                encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
                return self.answer(status, {"kind": "Secret", "metadata": {"name": "login"}, "data": encoded})

        with api_servers.serving(Handler) as kubernetes:
            monkeypatch.setattr(existing, "connect", lambda *_, **__: kubernetes)
            return existing.provide(Settings(credentials_secret=name, admin_user=user))

    return provide


@pytest.mark.parametrize("name", ["login", "harbor/login"])
@pytest.mark.parametrize("key", ["password", "HARBOR_ADMIN_PASSWORD"])
def test_the_password_is_that_of_the_secret(provided, name, key):
    login = provided({key: "of-the-secret\n"}, name, user="root").credentials
    assert (login.user, login.password) == ("root", "of-the-secret")


def test_the_secret_may_name_the_user(provided):
    assert provided({"username": "root", "password": "x"}).credentials.user == "root"


def test_a_secret_without_a_password_is_told_by_its_keys_alone(provided):
    with pytest.raises(
        SettingsError, match=r"no password and no HARBOR_ADMIN_PASSWORD.*keys: secretKey"
    ) as told:
        provided({"secretKey": "MARKER"})
    assert "MARKER" not in str(told.value)


def test_a_secret_that_is_not_there_or_may_not_be_read_is_named(provided):
    with pytest.raises(TargetUnreachable, match=r"read Secret other/login \(--credentials-secret\)"):
        provided({}, "other/login")
    with pytest.raises(RightMissing, match="read Secret harbor/login"):
        provided({}, status=403)
