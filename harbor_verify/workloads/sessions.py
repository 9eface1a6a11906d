"""Signing in, and asking whether one still is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

from harbor_verify.checkers.sessions import PROBE, UNKNOWN_SESSION, WRONG_USER
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.errors import AnswerError, TargetUnreachable
from harbor_verify.history import Operation, Outcome, Recorder, fingerprint
from harbor_verify.workloads.confirming import ask_until_known
from harbor_verify.workloads.work import Result, Work, classify

WORTH_NOTHING = "LoginWorthNothing"
"""Error of a login that was answered 200 with a cookie that nobody knows: what Harbor does without its Redis."""


class SessionProbe(Work):
    """Asks one place who a cookie belongs to; of several sessions, each in turn.

    It always sends the cookie of the login. Harbor answers one that it does not find with another, which a browser
    would keep; whether the session still lives is only told by the first.
    """

    kind = PROBE
    writes = False

    def __init__(self, harbor: Harbor, sessions: Sequence[Session], *, client: str | None = None) -> None:
        """`harbor` is for this probe alone: a thread of its own uses it."""
        super().__init__(harbor.name, client=client, uid=harbor.uid)
        self._harbor = harbor
        self._turn = cycle(sessions)
        self._session = sessions[0]

    def begin(self) -> Mapping[str, Any]:
        self._session = next(self._turn)
        return {"session": fingerprint(self._session.cookie), "user": self._session.user}

    def do(self) -> Result:
        return _judged(self._harbor.whoami(self._session), self._session)


class Login(Work):
    """Signs in anew, and proves it: a 200 whose cookie nobody knows is no login."""

    kind = "login"
    writes = True

    def __init__(self, harbor: Harbor, credentials: Credentials, *, client: str | None = None) -> None:
        """`harbor` is for this login alone: a thread of its own uses it."""
        super().__init__(harbor.name, client=client, uid=harbor.uid)
        self._harbor = harbor
        self._credentials = credentials
        self.sessions: list[Session] = []
        """The sessions that were acknowledged (200, and then known). Secret: they are as good as the password."""

    def begin(self) -> Mapping[str, Any]:
        return {"user": self._credentials.user}

    def do(self) -> Result:
        session = self._harbor.sign_in(self._credentials)
        value = {"session": fingerprint(session.cookie)}
        try:
            result = _judged(self._harbor.whoami(session), session)
        except (AnswerError, TargetUnreachable) as error:
            # It was accepted, but nobody can say what that is worth.
            told = classify(error, writes=True)
            return replace(told, outcome=Outcome.INFO, value={**value, **told.value})
        if result.outcome is Outcome.OK:
            self.sessions.append(session)
        error_name = WORTH_NOTHING if result.error == UNKNOWN_SESSION else result.error
        return Result(result.outcome, value={**value, **result.value}, status=result.status, error=error_name)


def probe_everywhere(
    recorder: Recorder, harbors: Sequence[Harbor], sessions: Sequence[Session], *, span_s: float
) -> list[Operation]:
    """After the heal: try every session on every one of `harbors`, until it is known, for `span_s` seconds at most.

    Again, because after a restart of Redis each stale connection of a replica spoils one request. Returns the
    last operation of each pair; `no_session_lost` judges the history.
    """
    lanes = [
        [SessionProbe(harbor, [session], client=f"session-check@{harbor.name}") for session in sessions]
        for harbor in harbors
    ]
    return ask_until_known(recorder, lanes, span_s=span_s)


def _judged(user: str | None, session: Session) -> Result:
    if user is None:
        return Result(Outcome.FAIL, status=401, error=UNKNOWN_SESSION)
    # Harbor lets `Admin` in, and calls it `admin`.
    if user.lower() == session.user.lower():
        return Result(status=200)
    return Result(Outcome.FAIL, status=200, error=WRONG_USER, value={"answered": user})
