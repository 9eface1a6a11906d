"""How a request is answered: protection against forged ones, the session, who calls, the route, the session again."""

import traceback
import uuid
from urllib.parse import unquote, urlsplit

from ... import log
from ...web.request import Request
from ...web.response import Refused, Response, error
from ..database import DatabaseError, describe
from . import csrf, pages
from .callers import caller_of
from .door import handlers as door
from .errors import error as api_error
from .harbor import Call, Harbor
from .registry_client import RegistryFailure
from .routes import ROUTES
from .routing import Handler
from .secret_key import SecretKeyUnusable
from .sessions import NotASession

_REQUEST_ID = "X-Request-Id"
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_API = "/api/v2.0/"
_WRITABLE_READ_ONLY = ("/api/v2.0/configurations", "/api/v2.0/system/gc")


class Application:
    def __init__(self, harbor: Harbor) -> None:
        self._harbor = harbor

    def answer(self, request: Request) -> Response:
        request_id = request.headers.get(_REQUEST_ID) or str(uuid.uuid4())
        response = self._protected(request)
        if response.header(_REQUEST_ID) is None:
            response.headers.append((_REQUEST_ID, request_id))
        return response

    def _protected(self, request: Request) -> Response:
        """What is refused here gets no session."""
        headers: list[tuple[str, str]] = []
        if csrf.covers(request):
            verdict = self._harbor.csrf.judge(request)
            headers = verdict.headers
            if verdict.refusal:
                verdict.refusal.headers += headers
                return verdict.refusal
        response = self._refused_read_only(request) or self._in_session(request)
        response.headers[:0] = headers
        return response

    def _refused_read_only(self, request: Request) -> Response | None:
        covered = request.path.startswith(("/v2/", "/api/")) and request.method in _UNSAFE
        if not covered or request.path.startswith(_WRITABLE_READ_ONLY):
            return None
        try:
            is_read_only = self._harbor.configuration.current()["read_only"]
        except DatabaseError as failure:
            return _without_database(request, failure)
        if not is_read_only:
            return None
        return api_error(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")

    def _in_session(self, request: Request) -> Response:
        sessions = self._harbor.sessions
        try:
            session = sessions.begin(request)
        except NotASession as failure:
            log.error(f"session: {failure}")
            return pages.text(503, "503 - Service Unavailable")
        if not request.path.startswith("/v2/"):
            request.load()
        call = Call(self._harbor, request, session, caller_of(self._harbor, request, session))
        response = _answer(call)
        # Before the answer is sent: with it, the client may come to another core at once.
        sessions.keep(session, request)
        response.headers += [("Set-Cookie", cookie) for cookie in session.cookies]
        return response


def _answer(call: Call) -> Response:
    request = call.request
    if request.path.startswith("/v2/") or request.path == "/v2":
        return _handled(call, door.answer)
    path = urlsplit(request.target).path
    allowed = []
    for route in ROUTES:
        if match := route.pattern.fullmatch(path):
            if route.method == request.method:
                request.parameters = {name: unquote(value) for name, value in match.groupdict().items()}
                return _handled(call, route.handler)
            allowed.append(route.method)
    if not request.path.startswith(_API):
        return error(405, "Method Not Allowed") if allowed and path == "/service/token" else pages.not_found()
    if allowed:
        methods = ",".join(dict.fromkeys(allowed))
        message = f"method {request.method} is not allowed, but [{methods}] are"
        return api_error(405, "METHOD_NOT_ALLOWED", message)
    return api_error(404, "NOT_FOUND", f"path {path} was not found")


def _handled(call: Call, handler: Handler) -> Response:
    """What a handler makes of the request, and of what it stands on failing."""
    try:
        return handler(call)
    except Refused as refusal:
        return refusal.response
    except DatabaseError as failure:
        return _without_database(call.request, failure)
    except (RegistryFailure, SecretKeyUnusable) as failure:
        log.error(f"{call.request.method} {call.request.path}: {failure}")
    except ConnectionError:
        raise  # the client's: there is nobody to answer
    except Exception:  # noqa: BLE001 - like Go's recover: one request must not end the program, and all is logged
        log.error(traceback.format_exc())
    return api_error(500, "UNKNOWN", "internal server error")


def _without_database(request: Request, failure: DatabaseError) -> Response:
    log.error(f"{request.method} {request.path}: {describe(failure)}")
    return api_error(500, "UNKNOWN", "internal server error")
