"""Sending the distilled exchanges to the stand-in, and comparing what it answers."""

import http.client
import re
import time
from urllib.parse import urlencode

from tests.contract import comparison
from tests.contract.comparison import Exchange
from tests.contract.harbor_1 import exchanges, recordings
from tests.contract.harbor_1.stack import Stack
from tests.contract.programs import HOST, Program


class Client:
    """Speaks to the programs of a stack, and remembers the sessions that it was given."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sessions: dict[str, str] = {}

    def send(self, exchange: Exchange, timeout_s: float = 20) -> Exchange:
        """The answer to a distilled request, distilled. Raises TimeoutError, ConnectionError."""
        method, _, target = exchange["request"].partition(" ")
        headers = {"User-Agent": "contract-test/1", "Accept": "*/*"}
        if "as" in exchange:
            headers["Authorization"] = exchanges.credentials(exchange["as"])
        for key, name in (
            ("cookie", "Cookie"),
            ("encoding", "Accept-Encoding"),
            ("media_type", "Content-Type"),
        ):
            if key in exchange:
                headers[name] = self._with_sessions(exchange[key])
        status, fields, body, elapsed_s = self.request(
            exchange["to"], method, self._with_sessions(target), headers, exchange.get("body"), timeout_s
        )
        for name, value in fields:
            if name == "Set-Cookie" and (session := re.match(r"beegosessionID=([0-9a-f]{32})", value)):
                self._sessions[exchange.get("name", "")] = session[1]
        return exchanges.answered(status, fields, body.decode(errors="replace"), elapsed_s)

    def request(
        self,
        to: str,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: str | bytes | None = None,
        timeout_s: float = 20,
    ) -> tuple[int, list[tuple[str, str]], bytes, float]:
        """Status, headers, body, and seconds that it took."""
        program = self._program(to)
        connection = http.client.HTTPConnection(HOST, program.port, timeout=timeout_s)
        begun_s = time.monotonic()
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read(), time.monotonic() - begun_s
        finally:
            connection.close()

    def log_in(self, user: str = "admin", to: str = "ui1") -> str:
        """A new session of a user."""
        form = urlencode({"principal": user, "password": exchanges.USERS[user]})
        status, headers, _, _ = self.request(
            to, "POST", "/login", {"Content-Type": "application/x-www-form-urlencoded"}, form
        )
        assert status == 200, f"{user} cannot log in on {to}: {status}"
        return dict(headers)["Set-Cookie"].partition("=")[2].partition(";")[0]

    def remember_login(self, user: str) -> None:
        """Log in now for the exchanges that have a session {login:USER}, while that is possible."""
        self._sessions[f"login:{user}"] = self.log_in(user)

    def knows(self, session: str, to: str) -> int:
        """The status of asking `to` who one is."""
        return self.request(to, "GET", "/api/users/current", {"Cookie": f"beegosessionID={session}"})[0]

    def log_end(self, to: str) -> str:
        """Of the program behind an address."""
        return self._program(to).log_end()

    def _program(self, to: str) -> Program:
        # The recordings are of nginx too, where its answers are the ui's.
        return self._stack.programs["ui1" if to == "nginx" else to]

    def _with_sessions(self, text: str) -> str:
        for name in re.findall(r"\{([^}]+)\}", text):
            if name not in self._sessions and name.startswith("login:"):
                self.remember_login(name.removeprefix("login:"))
            text = text.replace(f"{{{name}}}", self._sessions[name])
        return text


def differences(client: Client, topic: str, section: list[Exchange]) -> list[str]:
    """Send each exchange of a section; a line for each that is not answered as it was recorded."""
    only_its_shape = recordings.topic(topic).get("shape", False)
    return comparison.differences(client, section, exchanges.shape if only_its_shape else None)
