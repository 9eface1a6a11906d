"""What is got for a password: sessions of the administrator for single replicas, and tokens that a registry trusts.

The administrator's password goes to the front door; `PasswordRule` (harbor_verify/clients/http.py) holds that, whatever
a check asks for.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Protocol

from harbor_verify.clients import token_service
from harbor_verify.clients.capabilities import Robot
from harbor_verify.clients.harbor import Credentials, Harbor, Session
from harbor_verify.clients.http import HttpClient, PasswordRule
from harbor_verify.clients.registry import Registry
from harbor_verify.clients.token_service import Token
from harbor_verify.errors import AnswerError, CannotTell, NoAnswer
from harbor_verify.replica_coverage import rounds_to_meet_each

Open = Callable[[], Harbor]
"""A new connection to the front door; its caller closes it."""


class Accounts(Protocol):
    """Whom the run has made in Harbor for itself (harbor_verify/belongings.py)."""

    @property
    def user(self) -> Credentials: ...

    @property
    def client(self) -> Credentials: ...

    def project(self, suffix: str = "", *, public: bool = False) -> str: ...

    def machine(self, project: str) -> Credentials: ...

    def machine_robots(self) -> list[Robot]: ...

    def forget_machine(self, lost: Robot) -> None: ...

    def new_user(self) -> Credentials: ...

    def robot(self, project: str, suffix: str = "") -> Robot: ...


class Logins:
    """Of one run. `open_front_door` makes a new connection each time, which another replica may answer."""

    def __init__(self, administrator: Credentials, open_front_door: Open, rule: PasswordRule) -> None:
        self._administrator, self._open_front_door, self._rule = administrator, open_front_door, rule
        self._sessions: list[Session] = []

    def administrator_at(self, web: Harbor, webs: int) -> Session:
        """A session of the administrator that this web replica, one of `webs`, knows, to read what nobody else may.

        Opened at the front door, as often as it takes to have met each replica: sessions need not be shared. Raises
        CannotTell, AnswerError.
        """
        for session in self._sessions:
            if web.whoami(session) is not None:
                return session
        refusals: list[str] = []
        for _ in range(rounds_to_meet_each(webs)):
            with closing(self._open_front_door()) as front:
                try:
                    session = front.sign_in(self._administrator)
                except AnswerError as refusal:
                    refusals.append(str(refusal))
                    continue
            if web.whoami(session) is not None:
                self._sessions.append(session)
                return session
        raise CannotTell(
            f"{web.name} knows no session of {self._administrator.user} that began at the front door, and the password "
            f"goes nowhere else{f'; first refusal: {refusals[0]}' if refusals else ''}"
        )

    def trusted_token(
        self, registry: Registry, webs: list[Harbor], credentials: Credentials | None, scope: str
    ) -> Token:
        """A token of the first of `webs` whose tokens `registry` accepts; of the last, where it accepts none.

        The administrator's are asked for at the front door, until each replica was met. Raises NoAnswer.
        """
        errors: dict[str, None] = {}
        token: Token | None = None
        with ExitStack() as stack:
            for giver in self._givers(stack, webs, credentials):
                try:
                    token = token_service.fetch(giver, credentials, scope)
                    if registry.accepts(token.text).status_code == 200:
                        return token
                except AnswerError as refusal:
                    errors[str(refusal)] = None
        if token is None:
            raise NoAnswer(f"no web replica gives a token: {'; '.join(errors)}", sent=False)
        # No registry trusts it: what the registry says of it is then the answer.
        return token

    def _givers(
        self, stack: ExitStack, webs: list[Harbor], credentials: Credentials | None
    ) -> Iterator[HttpClient]:
        if credentials != self._administrator or self._rule.also_to_its_own:
            yield from (web.http for web in webs)
            return
        for _ in range(rounds_to_meet_each(len(webs))):
            yield stack.enter_context(closing(self._open_front_door())).http
