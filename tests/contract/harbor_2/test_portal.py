"""The portal's page in a browser, with two cores behind it in turn."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from harbor_verify.clients import browser
from harbor_verify.errors import NeedMissing
from tests.contract.harbor_2.front import open_front
from tests.contract.harbor_2.stack import ADMIN_PASSWORD, Stack


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    try:
        with (
            open_front([stack[name].port for name in ("core-a", "core-b")]) as url,
            browser.open_page(None, timeout_s=10, insecure=False) as page,
        ):
            page.goto(url)
            yield page
    except NeedMissing as missing:
        pytest.skip(str(missing))


def sign_in(page: Page, password: str) -> None:
    page.locator("#login_username").fill("admin")
    page.locator("#login_password").fill(password)
    page.locator("#log_in").click()


def test_user_stays_signed_in_until_logging_out(page: Page) -> None:
    expect(page).to_have_title("Harbor")
    sign_in(page, ADMIN_PASSWORD)
    expect(page.locator("#current_user")).to_have_text("admin")
    expect(page.locator("#project_rows")).to_contain_text("library")
    for _ in range(3):
        page.reload()
        expect(page.locator("#current_user")).to_have_text("admin")
    expect(page.locator("#sign_in")).to_be_hidden()
    page.get_by_text("Log Out").click()
    expect(page.locator("#login_username")).to_be_visible()
    page.reload()
    expect(page.locator("#login_username")).to_be_visible()
    expect(page.locator("#current_user")).to_be_hidden()


def test_wrong_password_is_told(page: Page) -> None:
    sign_in(page, "wrong")
    expect(page.locator("#login_error")).to_have_text("Invalid user name or password.")
    expect(page.locator("#current_user")).to_be_hidden()
