"""A bucket of an object store that speaks S3, as little of it as is needed here."""

import hashlib
import hmac
import http.client
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from . import http_client
from .http_client import Reply

_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_TIMEOUT_S = 30


class BucketFailure(OSError):
    """The object store does not answer, or refuses; the text says which request, and why."""


@dataclass(frozen=True)
class Bucket:
    """One bucket, its name in the path of the URL. What stands here raises BucketFailure."""

    endpoint: str
    """E.g. http://192.0.2.10:7480, without a slash at the end."""
    name: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    def ensure(self) -> None:
        """Make it, unless it is there and ours."""
        self._ask("PUT", "", statuses=(200, 409))

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of all objects whose key begins so."""
        query = {"list-type": "2", "prefix": prefix}
        while True:
            page = ElementTree.fromstring(self._ask("GET", "", query=query).body)
            yield from (str(each.text) for each in page.iterfind(f"{_XML}Contents/{_XML}Key"))
            following = page.findtext(f"{_XML}NextContinuationToken")
            if not following:
                return
            query["continuation-token"] = following

    def read(self, key: str) -> bytes | None:
        """An object; None when there is none."""
        reply = self._ask("GET", key, statuses=(200, 404))
        return reply.body if reply.status == 200 else None

    def delete(self, key: str) -> None:
        """That it is not there is well."""
        self._ask("DELETE", key, statuses=(200, 204, 404))

    def _ask(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        statuses: tuple[int, ...] = (200,),
    ) -> Reply:
        path = quote(f"/{self.name}/{key}" if key else f"/{self.name}")
        search = urlencode(sorted((query or {}).items()), quote_via=quote, safe="")
        url = f"{self.endpoint}{path}{'?' + search if search else ''}"
        headers = self._signed(method, path, search, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
        try:
            reply = http_client.send(method, url, headers, timeout_s=_TIMEOUT_S)
        except (OSError, http.client.HTTPException) as failure:
            raise BucketFailure(http_client.describe(method, url, failure)) from failure
        if reply.status not in statuses:
            words = reply.body.decode(errors="replace")[:300]
            raise BucketFailure(f"{method} {self.endpoint}{path}: {reply.status} {words}")
        return reply

    def _signed(self, method: str, path: str, search: str, moment: str) -> dict[str, str]:
        """The headers of a request with a signature. Source: AWS Signature Version 4."""
        headers = {
            "Host": urlsplit(self.endpoint).netloc,
            "x-amz-content-sha256": _UNSIGNED,
            "x-amz-date": moment,
        }
        names = ";".join(name.lower() for name in headers)
        lines = [f"{name.lower()}:{text}\n" for name, text in headers.items()]
        request = "\n".join([method, path, search, "".join(lines), names, _UNSIGNED])
        parts = (moment[:8], self.region, "s3", "aws4_request")
        scope = "/".join(parts)
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in (*parts, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        credential = f"Credential={self.access_key}/{scope}"
        signature = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"
        return {**headers, "Authorization": signature}
