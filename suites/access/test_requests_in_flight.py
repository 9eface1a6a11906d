"""Signing out while a request of the same session is in flight on another replica."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from harbor_verify.checks import SHOULD, check
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.errors import CannotTell, WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.stores import SessionStore
from harbor_verify.target import Target

_LONGEST_S = 24 * 3600
_HEAD_STARTS_S = (0, 0.5, 3)
"""Before the log-out: a replica that is short of CPU may take up the request after what was sent later. One that was
late is tried again with a longer one.
"""
_FLAW = (
    "who logs out while a request of his is in flight on another replica is signed in again when that request ends: "
    "each request writes its session back at its end, and {told}"
)


@check(
    "access.logout-undone-for-a-day-at-most",
    hint="That a request in flight brings the session back is Harbor's own flaw, and nothing that you set up mends it. "
    "What you set is how long such a session lives from its last use: Administration, Configuration, System Settings, "
    "Session Timeout (session_timeout, in minutes; 60 as it comes). One that never expires: some client sends "
    "X-Harbor-No-Session-Renewal. Who has to be out at once: delete the user, or let him log out once more.",
    source="Harbor: a session is written when each request ends; session_timeout",
    requires=(Feature.REQUESTS_TAKEN_UP_EARLY,),
    severity=SHOULD,
    builds_on=(
        "sessions.known-to-every-replica",
        "sessions.stored-in-redis",
        "configuration.session-store-configured",
        "access.login-accepts-right-password",
    ),
)
def test_a_log_out_that_a_request_in_flight_undoes_is_undone_for_a_day_at_most(
    harbor: Target,
    findings: Findings,
    measured,
    need: Callable[[str], None],
    harbors_own: Callable[[str], None],
):
    """A session that its user ended, and that a request in flight on another replica brought back, ends within a day.

    Source: Harbor. A request whose end is held back until the user has logged out on the next replica; where the other
    does not know the session, on the same one. That the session comes back at all is told as Harbor's own flaw.
    """
    replicas = harbor.replicas(Role.WEB)
    brought_back, left_s = 0, []
    for replica, other in zip(replicas, [*replicas[1:], replicas[0]], strict=True):
        web, end = harbor.web(replica), harbor.web(other)
        expected = (
            f"a log-out on {other.name} holds, or what a request in flight here brings back ends within a day"
        )
        with findings.about(replica.object, expected) as flight:
            ended = _logged_out_in_flight(web, end, harbor.user)
            if ended is None:
                continue
            session, end = ended
            if web.whoami(session) is None:
                continue
            brought_back += 1
            try:
                left = _seconds_left(harbor, session.cookie, need)
            finally:
                end.sign_out(session)
            if left is None:
                continue
            if left < 0:
                flight.wrong("it came back, and never expires")
            elif left > _LONGEST_S:
                flight.wrong(f"it came back, for {left / 3600:.0f} hours from its last use")
            left_s.append(left)
    measured["sessions_brought_back_count"] = brought_back
    if brought_back:
        told = f"it lives for {max(left_s) // 60} minutes more" if left_s else "it lives on"
        harbors_own(_FLAW.format(told=told))


def _logged_out_in_flight(web: Any, other: Any, user: Credentials) -> tuple[Session, Harbor] | None:
    """A session of `web` that was ended while a request of it was in flight there, and where: at `other`, or at `web`
    if that does not know it. None: `web` keeps no session at all, so none can come back.

    Raises CannotTell where no request was taken up before its end.
    """
    for head_start_s in _HEAD_STARTS_S:
        session = web.sign_in(user)
        if web.whoami(session) is None:
            return None
        end = web if other.whoami(session) is None else other
        if web.request_in_flight(session, partial(_log_out, end, session, head_start_s)):
            return session, end
    raise CannotTell("the request was not taken up before its end had come: something in between collects it")


def _log_out(end: Harbor, session: Session, head_start_s: float) -> None:
    time.sleep(head_start_s)
    end.sign_out(session)


def _seconds_left(harbor: Target, key: str, need: Callable[[str], None]) -> int | None:
    """How long the session store keeps it, -1 for ever; None: nobody can say, or it is elsewhere."""
    store = _store(harbor)
    if store is None:
        return None
    need("session-store")
    with harbor.redis(store) as redis:
        return redis.time_to_live_s(key)


def _store(harbor: Target) -> SessionStore | None:
    try:
        return harbor.session_store()
    except WrongConfiguration:
        return None
