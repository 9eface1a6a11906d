"""A user at the page, in a real browser."""

from contextlib import suppress

from harbor_verify.checks import check
from harbor_verify.clients.browser import Visitor, open_page
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "sessions.browser-session-through-front-door",
    hint="The picture in the check's folder shows what the user saw. The sign-in form again after a login or a "
    "reload: the replicas do not share sessions, see sessions.known-to-every-replica. Nothing at all: what the front "
    "door sends for / and for the API's current user; the log of {front_door} names the upstream. The front door "
    "must be called by the name that cookies are for (--harbor-url).",
    source="Harbor: its page, as users see it; RFC 6265: cookies",
    needs=("browser",),
    builds_on=(
        "sessions.known-to-every-replica",
        "sessions.users-kept-apart",
        "configuration.session-store-configured",
        "configuration.csrf-key-same-on-every-replica",
    ),
)
def test_a_user_stays_signed_in_at_the_page(
    harbor: Target, findings: Findings, settings: Settings, check_folder, measured
):
    """In a browser, a user signs in through the front door, is still signed in after a reload, and logs out, each time.

    Source: Harbor's page. Again and again, until each web replica behind the front door has been met.
    """
    webs = len(harbor.replicas(Role.WEB))
    # A page, its data, a login: each may be another replica's.
    user, rounds = harbor.credentials.user, rounds_to_meet_each(webs, draws_per_round=3)
    measured["rounds_count"] = rounds
    timeout_s, ca_file = settings.request_timeout_s, None if settings.insecure else settings.ca_file
    with open_page(
        settings.browser, timeout_s=timeout_s, insecure=settings.insecure, ca_file=ca_file
    ) as page:
        visitor = Visitor(page, harbor.access.url, harbor.profile.page)
        for number in range(1, rounds + 1):
            nth = f"(time {number} of {rounds})"
            place = f"front door {harbor.access.url}"
            with findings.about(place, f"the sign-in form is shown {nth}") as step:
                visitor.open()
                step.expected = f"after the login, {user} is signed in {nth}"
                visitor.sign_in(harbor.credentials)
                if number == 1:
                    visitor.take_picture(check_folder / "signed-in.png")
                step.expected = f"after a reload, {user} is still signed in {nth}"
                visitor.reload(user)
                step.expected = f"after the log-out, the sign-in form is back {nth}"
                visitor.sign_out(user)
            if findings.offenders:
                # That there is no picture must not hide what was seen.
                with suppress(CannotTell):
                    visitor.take_picture(check_folder / "not-shown.png")
            if findings.offenders or findings.unknowns:
                break
