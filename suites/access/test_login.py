"""Signing in."""

from harbor_verify.checks import check
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.target import Target


@check(
    "access.login-accepts-right-password",
    hint="If every replica refuses, see that the administrator's user and password are right: Harbor's setting only "
    "counts at its first start. A database (or {configuration_store}) that is down is answered like a wrong "
    "password: what else was seen tells them apart. If the login is accepted but unknown afterwards, the session "
    "store is lost.",
    source="Harbor: the sign-in form, and its API's current user",
    builds_on=("database.reachable", "configuration.session-store-configured"),
)
def test_login_with_the_right_password_is_accepted_on_every_replica(harbor: Target, findings: Findings):
    """Every web replica lets the administrator in, and knows afterwards who it is.

    Source: Harbor's sign-in form. Its 200 proves nothing by itself: without a session store it answers the same.
    """
    for replica in harbor.replicas(Role.WEB):
        web, user = harbor.web(replica), harbor.user.user
        with findings.about(replica.object, f"{user} is let in, and is {user} afterwards") as login:
            try:
                session = web.sign_in(harbor.user)
                who = web.whoami(session)
            except UnexpectedAnswer as answer:
                login.wrong(f"{answer}. {web.symptoms()}")
            else:
                if who is None:
                    login.wrong("let in, but its own session is unknown to it")
                elif who.lower() != user.lower():
                    login.wrong(f"let in, and is {who} afterwards")
