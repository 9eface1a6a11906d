"""JSON that clients send."""

import json
from typing import Any

from ....web.response import Refused
from ..errors import refuse
from ..harbor import Call


def sent(call: Call, what: str) -> dict[str, Any]:
    """The JSON object in the request's body; `what` is Harbor's word for it. Raises Refused with 422."""
    body = call.request.body
    if not body.strip():
        raise refuse(422, "UNPROCESSABLE_ENTITY", f"validation failure list:\n{what} in body is required")
    try:
        document = json.loads(body)
    except ValueError as failure:
        raise invalid(what, _as_go_words_it(body, failure)) from None
    if not isinstance(document, dict):
        raise invalid(
            what, f"json: cannot unmarshal {_go_kind(document)} into Go value of type models.{what}"
        )
    return document


def integer(document: dict[str, Any], name: str, otherwise: int = 0) -> int:
    """Raises Refused with 422 when it is of another type."""
    value = document.get(name, otherwise)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(name, f"json: cannot unmarshal {_go_kind(value)} into Go struct field of type int64")
    return value


def text(document: dict[str, Any], name: str) -> str:
    """Empty when it is not there. Raises Refused with 422 when it is of another type."""
    value = document.get(name) or ""
    if not isinstance(value, str):
        raise invalid(name, f"json: cannot unmarshal {_go_kind(value)} into Go struct field of type string")
    return value


def invalid(what: str, reason: str) -> Refused:
    message = f'validation failure list:\nparsing {what} body from "" failed, because {reason}'
    return refuse(422, "UNPROCESSABLE_ENTITY", message)


def missing(name: str) -> Refused:
    """A field that the object in the body must have."""
    message = f"validation failure list:\nvalidation failure list:\n{name} in body is required"
    return refuse(422, "UNPROCESSABLE_ENTITY", message)


def _as_go_words_it(body: bytes, failure: ValueError) -> str:
    content = body.decode(errors="replace").strip()
    if content.startswith("{") and len(content) > 1 and content[1:].lstrip()[:1] not in ('"', "}"):
        character = content[1:].lstrip()[:1]
        return f"invalid character '{character}' looking for beginning of object key string"
    if not content.startswith(("{", "[", '"')):
        return f"invalid character '{content[:1]}' looking for beginning of value"
    return str(failure)


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")
