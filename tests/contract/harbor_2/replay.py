"""Sending the distilled exchanges to the stand-in, and comparing what it answers."""

import http.client
import json
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from tests.contract import comparison
from tests.contract.comparison import Exchange
from tests.contract.harbor_2 import exchanges, recordings
from tests.contract.harbor_2.exchanges import Headers
from tests.contract.harbor_2.stack import Stack
from tests.contract.programs import HOST

_UPLOADS = "/blobs/uploads/"


class Client:
    """Speaks to the programs of a stack, and remembers what it was given: sessions, a CSRF cookie, an upload.

    `secrets` are passwords that were told in an answer, by user: a robot's.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sessions: dict[str, str] = {}
        self._csrf: tuple[str, str] | None = None
        self._location = ""
        self.secrets: dict[str, str] = {}

    def send(self, exchange: Exchange, timeout_s: float = 20) -> Exchange:
        """The answer to a distilled request, distilled. Raises TimeoutError, ConnectionError."""
        method, _, target = exchange["request"].partition(" ")
        to = exchange["to"]
        if "{location}" in target:
            target = target.replace("{location}", self._upload(exchange))
        headers = {"User-Agent": "contract-test/1", "Accept": "*/*", **exchange.get("with", {})}
        if "host" in exchange:
            headers["Host"] = exchange["host"]
        if "as" in exchange:
            headers["Authorization"] = self._credentials(exchange["as"])
        if "bearer" in exchange:
            headers["Authorization"] = f"Bearer {self._bearer(exchange['bearer'])}"
        if "secret" in exchange:
            known = {"core": exchanges.CORE_SECRET, "jobservice": exchanges.JOBSERVICE_SECRET}
            headers["Authorization"] = f"Harbor-Secret {known.get(exchange['secret'], exchange['secret'])}"
        if "cookie" in exchange:
            headers["Cookie"] = self._filled(exchange["cookie"])
        if "csrf" in exchange:
            headers["X-Harbor-CSRF-Token"] = self._filled(exchange["csrf"])
        status, fields, body, elapsed_s = self.request(
            to, method, target, headers, exchange.get("body"), timeout_s
        )
        self._remember(exchange.get("name", ""), fields)
        text = "" if method == "HEAD" else body.decode(errors="replace")
        return exchanges.answered(status, fields, text, elapsed_s)

    def request(
        self,
        to: str,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: str | bytes | None = None,
        timeout_s: float = 20,
    ) -> tuple[int, Headers, bytes, float]:
        """Status, headers, body, and seconds that it took."""
        connection = http.client.HTTPConnection(HOST, self._stack[to].port, timeout=timeout_s)
        begun_s = time.monotonic()
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read(), time.monotonic() - begun_s
        finally:
            connection.close()

    def api(
        self, method: str, path: str, body: Any = None, *, to: str = "core-a", user: str = "admin"
    ) -> tuple[int, Headers, Any]:
        """Status, headers and JSON of a request to the API with a user's password."""
        headers = {"Authorization": self._credentials(user), "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        status, fields, answer, _ = self.request(to, method, f"/api/v2.0{path}", headers, sent)
        return status, fields, json.loads(answer) if answer.startswith((b"{", b"[")) else None

    def token(self, *scopes: str, user: str = "admin", to: str = "core-a") -> str:
        """A token of the token service; `user` may be nobody."""
        query = urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in scopes)])
        headers = {} if user == "nobody" else {"Authorization": self._credentials(user)}
        status, _, answer, _ = self.request(to, "GET", f"/service/token?{query}", headers)
        assert status == 200, answer
        return json.loads(answer)["token"]

    def csrf(self, to: str = "core-a") -> tuple[str, str]:
        """A cookie and a token that belong together."""
        _, headers, _, _ = self.request(to, "GET", "/")
        found = dict(headers)["X-Harbor-Csrf-Token"]
        (cookie,) = [
            value.partition(";")[0].partition("=")[2]
            for name, value in headers
            if name == "Set-Cookie" and value.startswith("_gorilla_csrf=")
        ]
        return cookie, found

    def log_in(self, user: str = "admin", to: str = "core-a") -> str:
        """A new session of a user, whatever it is worth."""
        cookie, token = self.csrf(to)
        status, headers, body, _ = self.request(
            to,
            "POST",
            "/c/login",
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"_gorilla_csrf={cookie}",
                "X-Harbor-CSRF-Token": token,
            },
            urlencode({"principal": user, "password": exchanges.USERS[user]}),
        )
        assert status == 200, f"{user} cannot log in on {to}: {status} {body!r}"
        return _sid(headers)

    def knows(self, session: str, to: str) -> int:
        """The status of asking `to` who one is."""
        return self.request(to, "GET", "/api/v2.0/users/current", {"Cookie": f"sid={session}"})[0]

    def remember_login(self) -> None:
        """Log in now for the exchanges that have a session {login}, while that is possible."""
        self._sessions["login"] = self.log_in()

    def _credentials(self, who: str) -> str:
        name = who.partition(":")[0]
        return exchanges.credentials(f"{name}:{self.secrets[who]}" if who in self.secrets else who)

    def _bearer(self, described: str) -> str:
        if "." in described:
            return described
        user, *scopes = described.split(" ")
        return self.token(*(f"{scope}" for scope in scopes if not scope.endswith(":")), user=user)

    def _upload(self, exchange: Exchange) -> str:
        """Where the upload goes on that was answered last; a new one where that has ended."""
        if not self._location:
            repository = "library/byhand"
            headers = {"Authorization": exchanges.credentials("admin"), "Content-Length": "0"}
            target = f"/v2/{quote(repository)}{_UPLOADS}"
            _, fields, _, _ = self.request(exchange["to"], "POST", target, headers)
            self._remember("", fields)
        location, self._location = self._location, ""
        return location

    def _remember(self, name: str, fields: Headers) -> None:
        given = dict(fields)
        if any(value.startswith("sid=") and value[4] != ";" for key, value in fields if key == "Set-Cookie"):
            self._sessions[name] = _sid(fields)
        if _UPLOADS in given.get("Location", ""):
            self._location = given["Location"][given["Location"].index("/v2/") :]

    def _filled(self, text: str) -> str:
        for name in re.findall(r"\{([^}]+)\}", text):
            if name in ("csrf", "token"):
                self._csrf = self._csrf or self.csrf()
                value = self._csrf[name == "token"]
            else:
                if name == "login" and name not in self._sessions:
                    self.remember_login()
                value = self._sessions[name]
            text = text.replace(f"{{{name}}}", value)
        return text

    def log_end(self, to: str) -> str:
        """Of the program behind an address."""
        return self._stack[to].log_end()


def differences(client: Client, topic: str, section: list[Exchange]) -> list[str]:
    """Send each exchange of a section; a line for each that is not answered as it was recorded."""
    only_its_shape = recordings.topic(topic).get("shape", False)
    return comparison.differences(client, section, exchanges.shape if only_its_shape else None)


def _sid(headers: Headers) -> str:
    """The session that counts: the last one that was told."""
    found = [value for name, value in headers if name == "Set-Cookie" and value.startswith("sid=")]
    return found[-1].partition(";")[0].removeprefix("sid=")
