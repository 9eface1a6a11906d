"""One HTTP session to one thing: the front door, or one replica and never another."""

import base64
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar

from harbor_verify.clients.adapters import TimedAdapter
from harbor_verify.errors import HarnessError, NoAnswer, PasswordWithheld, UnexpectedAnswer
from harbor_verify.model.addresses import DEFAULT_PORTS


@dataclass
class PasswordRule:
    """Where a password may be sent: to the origin of this URL and nowhere else.

    A client that has the rule refuses to send it anywhere else, whoever asks it to.
    """

    password: str
    url: str
    also_to_its_own: bool = False
    """A client may send it to its own base URL, too."""

    def permits(self, request: requests.PreparedRequest, base_url: str) -> bool:
        """Whether the request may go where it is to go."""
        if not self.password:
            return True
        places = {_origin(self.url), *({_origin(base_url)} if self.also_to_its_own else ())}
        return _origin(str(request.url)) in places or not _carries(request, self.password)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def _page_of(url: str) -> str:
    """Without the port that goes without saying, which `requests` leaves out of Host, too."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.removesuffix(':443' if parts.scheme == 'https' else ':80')}"


def _carries(request: requests.PreparedRequest, password: str) -> bool:
    scheme, _, login = str(request.headers.get("Authorization", "")).partition(" ")
    if scheme.lower() == "basic":
        return base64.b64decode(login).partition(b":")[2] == password.encode()
    if str(request.headers.get("Content-Type", "")).startswith("application/x-www-form-urlencoded"):
        body = request.body or ""
        fields = parse_qs(body if isinstance(body, str) else bytes(body).decode(errors="replace"))
        return any(password in values for values in fields.values())
    return False


class _NoCookies(RequestsCookieJar):
    """Keeps none: Harbor answers a request without a live session with a new cookie, which must not replace the
    one that is being tried. Whoever wants a cookie sent gives it with the request.
    """

    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> None:
        pass


class HttpClient(requests.Session):
    """A `requests` session with a base URL, timeouts, and nothing that acts behind the caller's back.

    No cookies are kept, no redirect is followed, nothing is tried again, and neither ~/.netrc (which would sign
    in an anonymous request) nor a proxy of the environment is used.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        timeouts_s: tuple[float, float],
        verify: bool | str = True,
        adapter: BaseAdapter | None = None,
        user_agent: str = "harbor-verify",
        uid: str = "",
        rule: PasswordRule | None = None,
    ) -> None:
        """`name` is what messages and histories call it: front-door, web-0.

        `timeouts_s` is (connect, request): the second is for each piece that is sent, and for each that is read.

        `uid`: of the pod, where it leads to one alone.
        """
        super().__init__()
        self.uid, self.rule = uid, rule
        self.name, self.base_url, self.timeouts_s = name, base_url.rstrip("/"), timeouts_s
        self.origin = _page_of(self.base_url)
        """Where a browser's page would be, as it tells with each form (Origin): https://harbor.example."""
        self.trust_env = False
        self.verify = verify
        self.cookies = _NoCookies()
        self.headers["User-Agent"] = user_agent
        self.longest_wait_s = 0.0
        """The longest that one request has taken; whoever measures sets it back to 0."""
        self.ended_s: tuple[float, ...] = ()
        """When the last two requests ended, on the monotonic clock; whoever measures empties it."""
        anywhere = TimedAdapter(timeouts_s[0])
        for scheme in ("http://", "https://"):
            self.mount(scheme, anywhere)
        if adapter is not None:
            self.mount(self.base_url, adapter)

    def come_from(self, front_door: str) -> None:
        """Name the front door (a URL) as what was asked, and as where a browser's page is: a proxy passes on both."""
        parts = urlsplit(front_door)
        self.headers["Host"], self.origin = parts.netloc, f"{parts.scheme}://{parts.netloc}"

    def request(  # type: ignore[override]  # fewer ways to call it than of `requests`
        self, method: str, url: str, **kwargs: Any
    ) -> requests.Response:
        """Send one request to a path of the base URL, or to an absolute URL. Raises NoAnswer."""
        kwargs.setdefault("timeout", self.timeouts_s[1])
        kwargs.setdefault("allow_redirects", False)
        target = self.base_url + url if url.startswith("/") else url
        begun_s = time.monotonic()
        try:
            return super().request(method, target, **kwargs)
        except requests.RequestException as error:
            causes = _causes(error)
            path = url.partition("?")[0]
            place = f"at {self.name}" if url.startswith("/") else f"as {self.name} says"
            why = f"{method} {path} {place}: no answer ({_reason(causes)})"
            about = {"request": f"{method} {path}", "cause": type(_first(causes)).__name__}
            raise NoAnswer(why, sent=not _refused(causes), about=about) from error
        finally:
            ended_s = time.monotonic()
            self.longest_wait_s = max(self.longest_wait_s, ended_s - begun_s)
            self.ended_s = (*self.ended_s[-1:], ended_s)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises PasswordWithheld where the rule does not permit it."""
        if self.rule and not self.rule.permits(request, self.base_url):
            place = str(request.url).partition("?")[0]
            raise PasswordWithheld(
                f"the administrator's password was to be sent to {request.method} {place}, "
                f"and goes to {self.rule.url} and nowhere else: a fault of this suite"
            )
        return super().send(request, **kwargs)

    def get(self, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """GET; `requests` would follow redirects here."""
        return self.request("GET", url, **kwargs)


def expect(response: requests.Response, *statuses: int) -> requests.Response:
    """The response, if its status is one of these; raises UnexpectedAnswer otherwise."""
    if response.status_code in statuses:
        return response
    raise UnexpectedAnswer(summary(response), status=response.status_code)


def document(response: requests.Response) -> Any:
    """The JSON of a response. Raises UnexpectedAnswer where there is none: a page, from somebody else."""
    try:
        return response.json()
    except ValueError as wrong:
        raise UnexpectedAnswer(
            f"{summary(response)}, which is no JSON", status=response.status_code
        ) from wrong


def summary(response: requests.Response) -> str:
    """`GET /path → 500 Internal Server Error "body…"`; without the query, which may hold a secret.

    Where a client was sent elsewhere for it, with the host: `GET http://store/path → 403 …`.
    """
    body = (
        " ".join(response.text.split())
        if "html" not in response.headers.get("Content-Type", "")
        else "(a page)"
    )
    short = body if len(body) <= 200 else body[:200] + "…"
    request = response.request
    place = str(request.url) if response.history else request.path_url
    return f"{request.method} {place.partition('?')[0]} → {response.status_code} {response.reason}" + (
        f' "{short}"' if short else ""
    )


def is_untrusted(silence: NoAnswer) -> bool:
    """Whether there was no answer because we do not trust the certificate that was shown."""
    return any(isinstance(each, ssl.SSLCertVerificationError) for each in _causes(silence))


def _refused(causes: list[BaseException]) -> bool:
    unsent = (
        urllib3.exceptions.NewConnectionError,
        ConnectionRefusedError,
        requests.ConnectTimeout,
        # Any other error of TLS may come after all of a request was sent.
        ssl.SSLCertVerificationError,
    )
    return any(isinstance(cause, unsent) for cause in causes)


def _first(causes: list[BaseException]) -> BaseException:
    """The first cause that the operating system, or this suite, names; the libraries only wrap it."""
    return next((c for c in causes if isinstance(c, OSError | HarnessError) and not _wraps(c)), causes[-1])


def _reason(causes: list[BaseException]) -> str:
    cause = _first(causes)
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _wraps(error: BaseException) -> bool:
    return isinstance(error, requests.RequestException)


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions that led to one, from it down to the first; urllib3 wraps some as `reason` or arguments."""
    causes: list[BaseException] = [error]
    while True:
        last = causes[-1]
        inner = getattr(last, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in last.args if isinstance(arg, BaseException)), None)
        inner = inner or last.__cause__ or last.__context__
        if inner is None or inner in causes:
            return causes
        causes.append(inner)
