"""The adminserver's API. Every path wants the secret of the ui or of the jobservice in a cookie."""

import json
import os
from pathlib import Path

from ...web.request import Request
from ...web.response import TEXT, Response, empty, error, go_json
from .keys import from_environment
from .store import Store

DATA = Path("/data")


class Service:
    def __init__(self, store: Store, secrets: set[str], data: Path = DATA) -> None:
        self._store = store
        self._secrets = secrets - {""}
        self._data = data

    def answer(self, request: Request) -> Response:
        if request.cookie("secret") not in self._secrets:
            return error(401, "Unauthorized")
        match request.method, request.path:
            case "GET", "/api/configurations":
                return _json(dict(sorted((self._store.read() or {}).items())))
            case "PUT", "/api/configurations":
                return self._put(request)
            case "POST", "/api/configurations/reset":
                self._store.write(from_environment())
                return empty()
            case "GET", "/api/systeminfo/capacity":
                return self._capacity()
        return error(404, "404 page not found")

    def _put(self, request: Request) -> Response:
        try:
            settings = json.loads(request.body)
        except ValueError as failure:
            return error(400, _go_words(request.body, failure))
        if not isinstance(settings, dict):
            return error(400, "json: cannot unmarshal into Go value of type map[string]interface {}")
        self._store.merge(settings)
        return empty()

    def _capacity(self) -> Response:
        try:
            volume = os.statvfs(self._data)
        except OSError:
            return error(500, "Internal Server Error")
        total, free = volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize
        return _json({"total": total, "free": free})


def _json(value: object) -> Response:
    # The real one leaves the media type to be guessed from the text.
    return Response(200, go_json(value).encode(), [TEXT])


def _go_words(body: bytes, failure: ValueError) -> str:
    if body and not body.lstrip().startswith((b"{", b"[", b'"')):
        return f"invalid character {chr(body.lstrip()[0])!r} looking for beginning of value"
    return str(failure)
