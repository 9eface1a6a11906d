"""The jobservice's API: every route wants the ui's secret."""

from ...web.request import Request
from ...web.response import Response, abort, document, empty, error, page
from ..database import Database

_NOT_FOUND = (
    b"<!DOCTYPE html>\n<html lang='en'><head><title>Not Found</title></head><body>Not Found</body></html>\n"
)


class Service:
    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._secret = secret

    def answer(self, request: Request) -> Response:
        if not request.path.startswith("/api/jobs/replication"):
            return page(404, _NOT_FOUND)
        if not self._secret or request.cookie("secret") != self._secret:
            return empty(401)
        if request.method == "GET" and request.path.rstrip("/") == "/api/jobs/replication":
            return self._jobs(request.text("policy_id"))
        return error(501, "the stand-in runs no jobs")

    def _jobs(self, policy_id: str) -> Response:
        if not policy_id.isdecimal():
            return abort(400, "invalid policy_id")
        return document(
            self._database.rows(
                "SELECT id, status, repository, policy_id, operation FROM replication_job WHERE policy_id = %s",
                int(policy_id),
            )
        )
