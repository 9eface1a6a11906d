"""Signing in with a wrong password."""

from harbor_verify.checks import check
from harbor_verify.clients.harbor import Credentials
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target


@check(
    "access.login-refuses-wrong-password",
    hint="A replica that lets a wrong password in runs another program, or asks another directory, than the others: "
    "compare its image and its auth_mode (GET …/systeminfo) with theirs. A 5xx in place of 401: its log, and what "
    "access.login-accepts-right-password says of what a login stands on.",
    source="Harbor: the sign-in form → 401; a wrong Basic authentication makes one nobody",
    builds_on=(
        "access.login-accepts-right-password",
        "database.grants-sufficient",
    ),
)
def test_a_wrong_password_lets_nobody_in_on_any_replica(harbor: Target, findings: Findings, new_user):
    """Every web replica refuses a wrong password with 401, and takes whoever gave it for nobody.

    Source: Harbor's sign-in form. By users of the suite's own: a wrong password locks its user for a while, which
    would hide what is seen next; so the form and Basic authentication are tried with a user each.
    """
    by_form, by_header = _wrong(new_user()), _wrong(new_user())

    def examine(replica: Replica, findings: Findings) -> None:
        web = harbor.web(replica)
        with findings.about(
            replica.object, "a wrong password at the form → 401, with a cookie that is nobody's"
        ) as form:
            session = web.wrong_sign_in(by_form)
            who = web.whoami(session) if session else None
            if who is not None:
                form.wrong(f"401, and the cookie is {who}'s")
        with findings.about(
            replica.object, "Basic authentication with a wrong password makes one nobody"
        ) as header:
            who = web.whoami_by_password(by_header)
            if who is not None:
                header.wrong(f"one is {who}")

    findings.side_by_side(harbor.replicas(Role.WEB), examine)


def _wrong(user):
    return Credentials(user.user, f"not-{user.password}")
