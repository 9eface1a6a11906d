"""Signing in."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge


@check(
    "access.login-accepts-right-password",
    hint="If every replica refuses, see that --admin-user and --admin-password are right: Harbor's setting only "
    "counts at its first start. A database (or {configuration_store}) that is down is answered like a wrong "
    "password: what else was seen tells them apart. If the login is accepted but unknown afterwards, the session "
    "store is lost.",
    source="Harbor: the sign-in form, and its API's current user",
)
def test_login_with_the_right_password_is_accepted_on_every_replica(harbor):
    """Every web replica lets the administrator in, and knows afterwards who it is.

    Source: Harbor's sign-in form. Its 200 proves nothing by itself: without a session store it answers the same.
    """
    replicas = harbor.replicas(Role.WEB)
    offenders = []
    for replica in replicas:
        web, user = harbor.web(replica), harbor.credentials.user
        expected = f"{user} is let in, and is {user} afterwards"
        try:
            session = web.sign_in(harbor.credentials)
            who = web.whoami(session)
        except UnexpectedAnswer as refusal:
            offenders.append(Offender(replica.object, expected, f"{refusal}. {web.symptoms()}"))
        except AnswerError as silence:
            offenders.append(Offender(replica.object, expected, str(silence)))
        else:
            if who is None:
                offenders.append(
                    Offender(replica.object, expected, "let in, but its own session is unknown to it")
                )
            elif who.lower() != user.lower():
                offenders.append(Offender(replica.object, expected, f"let in, and is {who} afterwards"))
    judge(offenders, examined=len(replicas))
