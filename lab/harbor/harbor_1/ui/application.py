"""How a request is answered: static files, the session, who calls, the route, and the session again."""

import gzip
import traceback

from ... import log
from ...web.request import Request
from ...web.response import Refused, Response, abort, error
from ..configuration import ConfigurationUnavailable
from ..database import DatabaseError, describe
from . import pages, sessions
from .api.users import UserVanished
from .callers import caller_of
from .gob import NotGob
from .harbor import Call, Harbor
from .registry_client import RegistryFailure
from .routes import ROUTES, Handler
from .signing import KeyUnusable


class Application:
    def __init__(self, harbor: Harbor) -> None:
        self._harbor = harbor

    def answer(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD") and (file := pages.static(request.path)):
            return file
        try:
            session = self._harbor.sessions.begin(request)
        except NotGob as failure:
            log.error(f"session: {failure}")
            return pages.text(503, "Service Unavailable")
        call = Call(self._harbor, request, session, caller_of(self._harbor, request, session))
        response = self._compressed(request, _answer(call))
        if session.is_new:
            response.headers.append(("Set-Cookie", sessions.cookie(session)))
        if call.ended_cookie:
            response.headers.append(("Set-Cookie", call.ended_cookie))
        self._harbor.sessions.keep(session)
        return response

    def _compressed(self, request: Request, response: Response) -> Response:
        content = response.header("Content-Type") or ""
        wanted = self._harbor.app_config.compresses and "gzip" in request.headers.get("Accept-Encoding", "")
        if wanted and request.method == "GET" and content.startswith(("application/json", "text/html")):
            response.body = gzip.compress(response.body, mtime=0)
            response.headers.append(("Content-Encoding", "gzip"))
        return response


def _answer(call: Call) -> Response:
    allowed = True
    for route in ROUTES:
        if match := route.pattern.fullmatch(call.request.path):
            if route.method == call.request.method:
                call.request.parameters = match.groupdict()
                return _handled(call, route.handler)
            allowed = allowed and not route.strict
    return pages.not_found() if allowed else error(405, "Method Not Allowed")


def _handled(call: Call, handler: Handler) -> Response:
    """What a handler makes of the request, and of what it stands on failing."""
    try:
        return handler(call)
    except Refused as refusal:
        return refusal.response
    except DatabaseError as failure:
        log.error(f"{call.request.method} {call.request.path}: {describe(failure)}")
        return error(500)
    except ConfigurationUnavailable as failure:
        log.error(f"{call.request.method} {call.request.path}: {failure}")
        return abort(500, "Internal Server Error")
    except (RegistryFailure, KeyUnusable) as failure:
        log.error(f"{call.request.method} {call.request.path}: {failure}")
        return error(500)
    except UserVanished as who:
        log.error(f"panic: user {who} does not exist")
        return pages.text(500, "beego application error")
    except Exception:  # noqa: BLE001 - like Go's recover: one request must not end the program, and all is logged
        log.error(traceback.format_exc())
        return pages.text(500, "beego application error")
