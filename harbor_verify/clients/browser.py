"""A real browser, driven as a user's: Chromium by Playwright, which brings none of its own here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable, NotShown
from harbor_verify.model.web_page import WebPage

# Playwright is slow to import and needs libraries that a slim image lacks: only who opens a page imports it.
if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_CERTUTIL = "certutil"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_KNOWS_WITHIN_MS = 2000
"""For so long a page may show a way in to who is signed in, before that is believed."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A browser that is only driven needs none of its own services, and speaks to nobody but the page's host.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser(wanted: Path | None) -> Path | None:
    """The browser that was asked for, or the first that is installed; None when there is none."""
    places = [shutil.which(str(wanted))] if wanted else [shutil.which(name) for name in NAMES]
    return next((Path(place) for place in places if place), None)


@contextmanager
def open_page(
    browser: Path | None, *, timeout_s: float, insecure: bool, ca_file: Path | None = None
) -> Iterator[Page]:
    """A page of a new browser without any cookie; closed at the end of the block. Raises NeedMissing.

    `timeout_s` is how long any one action may take; `insecure` accepts any certificate; `ca_file` has authorities
    (PEM) to trust beside the system's.
    """
    place = find_browser(browser)
    if place is None:
        raise NeedMissing(f"no browser: {browser or ', '.join(NAMES)}")
    from playwright.sync_api import Error, sync_playwright

    with _home_that_trusts(ca_file) as home, sync_playwright() as playwright:
        # No password of this suite's, and a profile of its own.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HARBOR_VERIFY_")}
        environment |= {"HOME": str(home)} if home else {}
        try:
            chromium = playwright.chromium.launch(
                executable_path=str(place), args=list(FLAGS), env=dict(environment)
            )
        except Error as failed:
            raise NeedMissing(f"{place} does not start: {failed.message}") from failed
        try:
            page = chromium.new_page(ignore_https_errors=insecure)
            page.set_default_timeout(timeout_s * 1000)
            yield page
        finally:
            chromium.close()


@contextmanager
def _home_that_trusts(ca_file: Path | None) -> Iterator[Path | None]:
    """A folder that makes Chromium trust these authorities, as its HOME; None where there are none.

    Source: Chromium on Linux: certificates of users are in the NSS database of $HOME/.pki/nssdb. Raises NeedMissing.
    """
    if ca_file is None:
        yield None
        return
    if not shutil.which(_CERTUTIL):
        raise NeedMissing(
            f"the browser is told of --ca-file by {_CERTUTIL}, which is not there (Debian: libnss3-tools)"
        )
    with TemporaryDirectory(prefix="harbor-verify-browser-") as home:
        database = Path(home) / ".pki" / "nssdb"
        database.mkdir(parents=True)
        _certutil("-N", "-d", f"sql:{database}", "--empty-password")
        for number, certificate in enumerate(_CERTIFICATE.findall(ca_file.read_text())):
            one = Path(home) / "authority.crt"
            one.write_text(f"{certificate}\n")
            _certutil("-A", "-d", f"sql:{database}", "-n", f"authority-{number}", "-t", "C,,", "-i", str(one))
        yield Path(home)


def _certutil(*argv: str) -> None:
    done = subprocess.run([_CERTUTIL, *argv], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise NeedMissing(
            f"the browser cannot be told of --ca-file: {_CERTUTIL} {argv[0]}: {done.stderr.strip()}"
        )


class Visitor:
    """A user at Harbor's page, who sees what it shows and nothing else.

    Methods raise NotShown when the page does not show in time what it should, CannotTell when the browser fails.
    """

    def __init__(self, page: Page, url: str, look: WebPage) -> None:
        """`look` says where things are on the page at `url`."""
        self._page, self._url, self._look = page, url, look

    def open(self) -> None:
        """The sign-in form is there, where a provider of identities comes first after a click on the other way in.

        Raises NotApplicable where the page leads on to another host to sign in.
        """
        with _acting("open the page"):
            answer = self._page.goto(f"{self._url}/")
            if answer is not None and answer.status >= 400 and not self._is_elsewhere():
                raise NotShown(f"GET / → {answer.status} {answer.status_text}")
        self._require_form()

    def sign_in(self, credentials: Credentials) -> None:
        """By the form; the page then shows the user's name. Elsewhere than at the front door nothing is filled in."""
        if _origin(self._page.url) != _origin(self._url):
            raise NotShown(
                f"the page leads on to {self._page.url.partition('?')[0]}, where no password is given"
            )
        with _acting("fill the sign-in form"):
            self._page.fill(self._look.login_name, credentials.user)
            self._page.fill(self._look.password, credentials.password)
            self._visible(self._look.log_in).click()
        self._require(self._user(credentials.user), f"{credentials.user}'s name")

    def reload(self, user: str) -> None:
        """The page still shows the user's name: at once, or soon after the form, until it knows who one is."""
        known, form = self._visible(self._user(user)), self._visible(self._ways_in())
        with _acting("load the page again"):
            self._page.reload()
            known.or_(form).first.wait_for()
            if known.is_visible():
                return
        try:
            with _acting(f"see {user}'s name"):
                known.wait_for(timeout=_KNOWS_WITHIN_MS)
        except NotShown as late:
            raise NotShown(f"the sign-in form: {user} is signed in no more") from late

    def sign_out(self, user: str) -> None:
        """The sign-in form is back."""
        with _acting("log out"):
            if not self._visible(self._look.log_out).is_visible():
                self._visible(self._user(user)).click()
            self._visible(self._look.log_out).click()
        self._require_form()

    def take_picture(self, file: Path) -> None:
        """Of what the page shows now, as PNG. Raises CannotTell: whatever keeps it from being taken is no fault of
        the page.
        """
        try:
            with _acting("take a picture of the page"):
                self._page.screenshot(path=file)
        except NotShown as late:
            raise CannotTell(str(late)) from late

    def _ways_in(self) -> str:
        """The form, or what brings it."""
        return ", ".join(filter(None, (self._look.login_name, self._look.local_login)))

    def _require_form(self) -> None:
        try:
            self._require(self._ways_in(), "the sign-in form")
        except NotShown:
            if self._is_elsewhere():
                host = urlsplit(self._page.url).netloc
                raise NotApplicable(
                    f"the page leads on to {host}, where users sign in, and the suite is none of those: whether a "
                    "user stays signed in at the page was NOT verified"
                ) from None
            raise
        if self._look.local_login and not self._visible(self._look.login_name).is_visible():
            with _acting("ask for the sign-in form"):
                self._visible(self._look.local_login).click()
            self._require(self._look.login_name, "the sign-in form")

    def _is_elsewhere(self) -> bool:
        return urlsplit(self._page.url).hostname not in (urlsplit(self._url).hostname, None)

    def _user(self, name: str) -> str:
        return self._look.user.format(user=name)

    def _visible(self, selector: str) -> Locator:
        return self._page.locator(selector).locator("visible=true").first

    def _require(self, selector: str, what: str) -> None:
        try:
            with _acting(f"see {what}"):
                self._visible(selector).wait_for()
        except NotShown as late:
            with _acting("read the page"):
                text = " ".join(self._page.inner_text("body").split())
            raise NotShown(f'{late}; the page shows "{text[:200]}"') from late


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url).scheme, urlsplit(url).netloc


@contextmanager
def _acting(what: str) -> Iterator[None]:
    """Tells a page that keeps one waiting, or cannot be loaded, from a browser that has failed."""
    from playwright.sync_api import Error, TimeoutError

    try:
        yield
    except TimeoutError as late:
        raise NotShown(f"{what}: {_first_line(late.message)}") from late
    except Error as failed:
        # Chromium's own names of what is wrong with the other side: net::ERR_CONNECTION_REFUSED.
        if "net::ERR_" in failed.message:
            raise NotShown(f"{what}: {_first_line(failed.message)}") from failed
        raise CannotTell(f"the browser failed to {what}: {_first_line(failed.message)}") from failed


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0]
