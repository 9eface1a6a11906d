"""Harbor 1.2's adminserver: the configuration that every other part asks it for."""

from typing import Any

from harbor_verify.clients.http import HttpClient, expect
from harbor_verify.errors import UnexpectedAnswer


class ConfigurationStore:
    """One replica of it."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    def configurations(self, secret: str) -> dict[str, Any]:
        """GET /api/configurations with the secret that it shares with the other parts. Values are secrets, too.

        Raises UnexpectedAnswer (401: another secret), NoAnswer.
        """
        answer = expect(self.http.get("/api/configurations", headers={"Cookie": f"secret={secret}"}), 200)
        try:
            configurations = answer.json()
        except ValueError as wrong:
            raise UnexpectedAnswer("GET /api/configurations → 200 without JSON", status=200) from wrong
        if not isinstance(configurations, dict):
            raise UnexpectedAnswer("GET /api/configurations → 200, but no object", status=200)
        return configurations
