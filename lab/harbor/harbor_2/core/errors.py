"""Errors in the form that Harbor 2 gives them."""

from ...web.response import Refused, Response, go_json

JSON = ("Content-Type", "application/json; charset=utf-8")


def error(status: int, code: str, message: str) -> Response:
    """`{"errors":[{"code","message"}]}` and a newline."""
    document = {"errors": [{"code": code, "message": message}]}
    return Response(status, f"{go_json(document)}\n".encode(), [JSON])


def refuse(status: int, code: str, message: str) -> Refused:
    """The same, to be raised."""
    return Refused(error(status, code, message))


def unauthorized(message: str = "unauthorized") -> Refused:
    return refuse(401, "UNAUTHORIZED", message)


def forbidden(message: str = "forbidden") -> Refused:
    return refuse(403, "FORBIDDEN", message)


def not_found(message: str) -> Refused:
    return refuse(404, "NOT_FOUND", message)


def bad_request(message: str) -> Refused:
    return refuse(400, "BAD_REQUEST", message)


def conflict(message: str) -> Refused:
    return refuse(409, "CONFLICT", message)
