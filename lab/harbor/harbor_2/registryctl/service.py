"""Registryctl's API. All but its health wants jobservice's secret."""

import hmac

from ... import log
from ...web.request import Request
from ...web.response import Response, abort, empty, error
from .storage import NotADigest, NotStored, Storage

_BLOB = "/api/registry/blob/"
_REGISTRY = "/api/registry/"


class Service:
    def __init__(self, storage: Storage, secret: str) -> None:
        self._storage = storage
        self._secret = secret

    def answer(self, request: Request) -> Response:
        if request.path == "/api/health" and request.method == "GET":
            return abort(200, '"healthy"')
        shown = request.headers.get("Authorization", "")
        if not self._secret or not hmac.compare_digest(
            shown.encode(), f"Harbor-Secret {self._secret}".encode()
        ):
            return error(401, "Unauthorized")
        if request.method != "DELETE" or not request.path.startswith(_REGISTRY):
            return error(404, "404 page not found")
        try:
            return self._delete(request.path)
        except NotADigest as failure:
            return error(400, f"invalid digest: {failure}")
        except NotStored as failure:
            return error(404, f"not found: {failure}")
        except OSError as failure:
            log.error(f"failed to delete {request.path}: {failure}")
            return error(500, "Internal Server Error")

    def _delete(self, path: str) -> Response:
        if path.startswith(_BLOB):
            self._storage.delete_blob(path.removeprefix(_BLOB))
        else:
            repository, found, digest = path.removeprefix(_REGISTRY).rpartition("/manifests/")
            if not found:
                return error(404, "404 page not found")
            self._storage.delete_manifest(repository, digest)
        log.info(f"deleted {path.removeprefix(_REGISTRY)}")
        return empty()
