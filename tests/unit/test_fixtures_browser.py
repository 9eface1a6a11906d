"""The browser, and a user at a page of a few lines."""

import shutil
import ssl
import time

import pytest
from playwright.sync_api import Error, TimeoutError

from harbor_verify.clients import browser as module
from harbor_verify.clients.browser import NAMES, Visitor, find_browser, open_page
from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable, NotShown
from harbor_verify.profiles import harbor_1_2, harbor_2
from tests.unit.certificates import new_certificate
from tests.unit.local_server import LocalServer, QuietHandler

ADMIN = Credentials("admin", "Harbor12345")
INSTALLED = find_browser(None)
needs_browser = pytest.mark.skipif(INSTALLED is None, reason="no Chromium is installed")
# As Harbor's: the button has no id in some releases, and the way out is in a menu that opens at the user's name.
PAGE = """<!DOCTYPE html><title>Harbor</title>
<form class="login" hidden><input id="login_username"><input id="login_password" type="password">
  <button type="submit">LOG IN</button></form>
<div id="in" hidden><button id="menu"><span id="user"></span></button> <a href="#">Administration</a>
  <p id="items" hidden><a href="#" id="out">Log Out</a></p></div>
<script>
  const one = (selector) => document.querySelector(selector);
  async function show() {
    const user = await (await fetch("/user")).text();
    one("#user").textContent = user; one("form").hidden = !!user; one("#in").hidden = !user;
  }
  one("form").onsubmit = async (event) => {
    event.preventDefault();
    await fetch("/login?" + one("#login_username").value + ":" + one("#login_password").value); show(); };
  one("#menu").onclick = () => { one("#items").hidden = false; };
  one("#out").onclick = async () => { await fetch("/log_out"); show(); };
  show();
</script>"""
# As Harbor's with OIDC: two ways in, of which one brings the form.
TWO_WAYS = (
    PAGE.replace('<form class="login" hidden>', '<button id="login-db">LOCAL</button><form>')
    .replace('type="submit"', 'type="submit" id="log_in"')
    .replace(
        "<script>",
        """<script>
  document.querySelector("form").style.display = "none";
  document.querySelector("#login-db").onclick = (event) => {
    event.target.style.display = "none"; document.querySelector("form").style.display = ""; };""",
    )
)


class FakePage(QuietHandler):
    """A page with one user; `server.forgets` after so many loads of the page."""

    def do_GET(self):
        server, body = self.server, ""
        if self.path == "/":
            server.loads += 1
            body = server.page
        elif self.path == "/login?admin:Harbor12345":
            server.user = "admin"
        elif self.path == "/log_out" and not server.keeps:
            server.user = ""
        elif self.path == "/user":
            time.sleep(server.thinks_s)
            body = "" if server.loads > server.forgets else server.user
        self.send_response(302 if server.leads_to and self.path == "/" else server.status)
        if server.leads_to:
            self.send_header("Location", server.leads_to)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def server():
    server = LocalServer(("127.0.0.1", 0), FakePage)
    server.user, server.loads, server.forgets, server.keeps, server.status = "", 0, 99, False, 200
    server.page, server.leads_to, server.thinks_s = PAGE, "", 0.0
    with server.running():
        yield server


@pytest.fixture
def visitor(server):
    with open_page(None, timeout_s=2, insecure=False) as page:
        yield Visitor(page, server.url, harbor_1_2.PROFILE.page)


def install(folder, name):
    place = folder / name
    place.write_text("#!/bin/sh\nexit 1\n")
    place.chmod(0o755)
    return place


@pytest.fixture
def secured(server, tmp_path):
    """The same page with TLS, and the certificate (PEM) of who vouches for it."""
    pem = new_certificate(tmp_path / "front.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    (tmp_path / "ca.crt").write_text(pem.read_text().partition("-----END PRIVATE KEY-----")[2])
    return f"https://localhost:{server.server_port}", tmp_path / "ca.crt"


@needs_browser
@pytest.mark.skipif(not shutil.which("certutil"), reason="libnss3-tools is not installed")
def test_the_browser_trusts_whom_the_ca_file_names_and_nobody_else(secured, tmp_path):
    url, ca_file = secured
    with open_page(None, timeout_s=5, insecure=False, ca_file=ca_file) as page:
        Visitor(page, url, harbor_1_2.PROFILE.page).open()
    other = new_certificate(tmp_path / "other.pem", "localhost").read_text()
    ca_file.write_text(other.partition("-----END PRIVATE KEY-----")[2])
    with open_page(None, timeout_s=5, insecure=False, ca_file=ca_file) as page:
        with pytest.raises(NotShown, match="ERR_CERT_AUTHORITY_INVALID"):
            Visitor(page, url, harbor_1_2.PROFILE.page).open()


def test_without_certutil_a_ca_file_is_a_need_that_is_missing(monkeypatch, tmp_path):
    place = install(tmp_path, "chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NeedMissing, match="libnss3-tools"):
        with open_page(place, timeout_s=1, insecure=False, ca_file=tmp_path / "ca.crt"):
            pass


@needs_browser
def test_no_password_is_given_elsewhere_than_at_the_front_door(visitor, server):
    visitor.open()
    other = LocalServer(("127.0.0.1", 0), FakePage)
    elsewhere = Visitor(visitor._page, other.url, harbor_1_2.PROFILE.page)
    other.server_close()
    with pytest.raises(NotShown, match="where no password is given"):
        elsewhere.sign_in(ADMIN)
    assert server.user == ""


def test_the_browser_that_was_asked_for_wins_over_those_that_are_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser(None) is None
    chrome = install(tmp_path, "google-chrome")
    assert find_browser(None) == chrome
    assert find_browser(None) == find_browser(chrome)
    first = install(tmp_path, NAMES[0])
    assert find_browser(None) == first
    other = install(tmp_path, "my-browser")
    assert find_browser(other) == other


def test_a_browser_that_is_not_where_it_was_said_is_none_even_if_another_is_installed(tmp_path):
    assert find_browser(tmp_path / "absent") is None
    with pytest.raises(NeedMissing, match=r"no browser: .*absent"):
        with open_page(tmp_path / "absent", timeout_s=1, insecure=False):
            pass


def test_a_browser_that_does_not_start_is_a_need_that_is_missing(tmp_path):
    with pytest.raises(NeedMissing, match="chromium does not start"):
        with open_page(install(tmp_path, "chromium"), timeout_s=1, insecure=False):
            pass


@pytest.mark.parametrize(
    "error, kind, told",
    [
        (
            TimeoutError("Timeout 30000ms exceeded.\nCall log: …"),
            NotShown,
            "see it: Timeout 30000ms exceeded.",
        ),
        (
            Error("Page.goto: net::ERR_CONNECTION_REFUSED at http://h/\nmore"),
            NotShown,
            "REFUSED at http://h/",
        ),
        (Error("Page.reload: Page crashed"), CannotTell, "the browser failed to see it: Page.reload"),
        (Error("Target page, context or browser has been closed"), CannotTell, "closed"),
    ],
)
def test_a_page_that_keeps_one_waiting_is_told_from_a_browser_that_has_failed(error, kind, told):
    with pytest.raises(kind) as caught:
        with module._acting("see it"):
            raise error
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@needs_browser
def test_a_user_signs_in_stays_signed_in_and_logs_out(visitor, server, tmp_path):
    visitor.open()
    visitor.sign_in(ADMIN)
    visitor.take_picture(tmp_path / "signed-in.png")
    assert (tmp_path / "signed-in.png").read_bytes().startswith(b"\x89PNG")
    visitor.reload("admin")
    visitor.sign_out("admin")
    assert server.user == ""
    with pytest.raises(NotShown, match="the sign-in form: admin is signed in no more"):
        visitor.reload("admin")


@needs_browser
def test_a_login_that_shows_nobody_a_session_that_is_lost_and_a_log_out_that_does_nothing_are_told(
    visitor, server
):
    visitor.open()
    with pytest.raises(NotShown, match=r'see other\'s name: .*the page shows "LOG IN"'):
        visitor.sign_in(Credentials("other", "x"))
    server.forgets = server.loads + 2
    visitor.open()
    visitor.sign_in(ADMIN)
    visitor.reload("admin")
    with pytest.raises(NotShown, match="signed in no more"):
        visitor.reload("admin")
    server.forgets, server.keeps, server.user = 99, True, ""
    visitor.open()
    visitor.sign_in(ADMIN)
    with pytest.raises(NotShown, match="see the sign-in form"):
        visitor.sign_out("admin")


@needs_browser
def test_a_page_that_is_an_error_or_does_not_come_is_told(visitor, server):
    server.status = 502
    with pytest.raises(NotShown, match="GET / → 502"):
        visitor.open()
    visitor._url = "http://127.0.0.1:9"
    with pytest.raises(NotShown, match="net::ERR_"):
        visitor.open()


@needs_browser
def test_with_two_ways_in_the_local_one_brings_the_form(server):
    # Its first way in is there before it knows who one is.
    server.page, server.thinks_s = TWO_WAYS, 0.3
    with open_page(None, timeout_s=2, insecure=False) as page:
        visitor = Visitor(page, server.url, harbor_2.PROFILE.page)
        visitor.open()
        visitor.sign_in(ADMIN)
        visitor.reload("admin")
        visitor.sign_out("admin")
    assert server.user == ""


@needs_browser
def test_a_page_that_leads_to_a_provider_of_identities_is_not_applicable(server):
    """Harbor's primary_auth_mode: nobody sees a form of Harbor's."""
    server.leads_to = f"http://localhost:{server.server_port}/realms/sign-in"
    with open_page(None, timeout_s=2, insecure=False) as page:
        visitor = Visitor(page, server.url, harbor_2.PROFILE.page)
        with pytest.raises(NotApplicable, match=f"leads on to localhost:{server.server_port}"):
            visitor.open()
