"""An HTTP request, with what Go's net/http and beego make of it."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .incoming import Incoming
from .response import Refused, abort


@dataclass
class Request:
    """`target` is what stands in the request line; header names are looked up in any case."""

    method: str
    target: str
    headers: "Message[str, str]"
    body: bytes = b""
    incoming: Incoming | None = None
    """The body where the server leaves it to be read: `load` puts it into `body`."""
    parameters: dict[str, str] = field(default_factory=dict)
    """The parts of the path that the route names."""

    def load(self) -> None:
        """Read what the server has left unread of the body."""
        if self.incoming is not None:
            self.body = self.incoming.rest()

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form; those in the body come before those in the query string."""
        fields = {name: list(values) for name, values in self.query.items()}
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type == "application/x-www-form-urlencoded":
            sent = parse_qs(self.body.decode(errors="replace"), keep_blank_values=True)
            fields = {name: sent.get(name, []) + fields.get(name, []) for name in {*sent, *fields}}
        return fields

    def text(self, name: str) -> str:
        """A form field, empty when it is not there."""
        return self.form.get(name, [""])[0]

    def cookie(self, name: str) -> str:
        """The first cookie of that name, empty when there is none."""
        for part in self.headers.get("Cookie", "").split(";"):
            found, _, value = part.strip().partition("=")
            if found == name:
                return value
        return ""

    def basic_credentials(self) -> tuple[str, str] | None:
        """User name and password of HTTP Basic, None when there are none that can be read."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (name, password) if colon else None

    def json(self, **types: type) -> dict[str, Any]:
        """The fields of a JSON object that `types` names; those that are not sent have their type's zero value.

        Raises Refused with 400 when it is no such object, or a field has another type.
        """
        try:
            sent = json.loads(self.body)
        except ValueError:
            raise Refused(abort(400, "Invalid json request")) from None
        if not isinstance(sent, dict):
            raise Refused(abort(400, "Invalid json request"))
        found = {}
        for name, wanted in types.items():
            value = sent.get(name)
            if value is not None and type(value) is not wanted:
                raise Refused(abort(400, "Invalid json request"))
            found[name] = wanted() if value is None else value
        return found
