"""What can go wrong in the suite itself. None of these is an AssertionError: Harbor being wrong is a `Failure`
(harbor_verify/verdict.py), and an error here means that the suite could not find out.

HarnessError
├── SettingsError          a setting is missing or wrong
├── TargetUnreachable      the cluster or the Harbor in it cannot be reached, or holds no Harbor that is known
├── NamespaceBusy          another run holds this namespace
├── LeaseLost              this run no longer holds it: another one may be changing the same Harbor
├── CheckDefinitionError   a check is declared wrongly
├── NeedMissing            something that a check needs is not there where the suite runs: the check is blocked
├── RightMissing           the API server forbids this account what a check needs: blocked, with the right named
├── ProgramMissing         a container has not the program that a check runs in it, often no shell at all: blocked
├── NotApplicable          this deployment has nothing that the check could be about
├── CannotTell             there was nothing to judge, or what was seen allows no verdict
├── DeadlinePassed         something was not so in time; carries what was seen last
├── DockerDaemonFailed     the docker daemon, not Harbor, is in the way
├── MachineControlFailed   what only the lab can do to its machines could not be done
├── HealFailed             what was broken on purpose could not be mended
├── OutageTooLong          clients went without an answer for longer than the user allows: nothing stays broken
├── WrongConfiguration     a setting of Harbor's cannot be right; checks that are about it make it an offender
├── NotAHistory            a file that should hold a history, or what was judged by one, holds something else
├── WorkerCrashed          a client that was to work during a disruption ended by a bug of its own
├── PasswordWithheld       the suite was about to send the administrator's password elsewhere than to the front door
└── AnswerError            Harbor did not answer as its API says; checks that are about it make it an offender
    ├── NoAnswer           no answer at all: refused, reset, timed out
    ├── UnexpectedAnswer   an answer with another status or body
    │   └── TypeRefused    a registry that does not know this type of manifest
    ├── WrongContent       bytes that are not those of the digest they were asked by
    ├── StoreRefused       what a database or a session store said instead of doing what Harbor may ask of it
    ├── NotShown           a page that does not show in time what it should
    ├── DockerRefused      what the registry made a docker daemon report
    └── ClientRefused      what the registry made another client program report
"""

from collections.abc import Mapping


class HarnessError(Exception):
    """The suite could not do what it was asked; the message says what was tried, and what came back."""


class SettingsError(HarnessError):
    """A setting is missing or wrong."""


class TargetUnreachable(HarnessError):
    """The cluster, or the Harbor in it, cannot be reached."""


class NamespaceBusy(HarnessError):
    """Another run of the suite holds this namespace."""


class LeaseLost(HarnessError):
    """This run no longer holds the namespace's Lease: another one may be changing the same Harbor."""


class CheckDefinitionError(HarnessError):
    """A check is declared wrongly."""


class NeedMissing(HarnessError):
    """A check cannot run for want of something where the suite runs: it is blocked."""


class RightMissing(TargetUnreachable, NeedMissing):
    """The API server does not let this account do what a check needs: it is blocked, and the right is named."""


class ProgramMissing(NeedMissing):
    """A container has not the program that was to be run in it; many images have none but their own."""


class NotApplicable(HarnessError):
    """This deployment has nothing that the check could be about, and may do without."""


class CannotTell(HarnessError):
    """What was seen allows no verdict."""


class DeadlinePassed(HarnessError):
    """Something was not so before its deadline."""


class DockerDaemonFailed(HarnessError):
    """The docker daemon cannot do its part, whatever Harbor does."""


class MachineControlFailed(HarnessError):
    """The lab could not do to its machines what a disruption asked for."""


class HealFailed(HarnessError):
    """What was disrupted is not whole again: nothing else may be disrupted before somebody has looked."""


class OutageTooLong(HarnessError):
    """While something is broken, a client went without a good answer for longer than the user allows."""


class WrongConfiguration(HarnessError):
    """A setting of Harbor's cannot be right. The message never holds a secret."""


class NotAHistory(HarnessError):
    """A file does not hold the history, or the judgement, that it should."""


class WorkerCrashed(HarnessError):
    """A worker ended by a bug of its own: what it would have seen is not in the history."""


class PasswordWithheld(HarnessError):
    """The suite was about to send the administrator's password elsewhere than to the front door; it was not sent."""


class AnswerError(HarnessError):
    """Harbor did not answer as its API says."""


class NoAnswer(AnswerError):
    """Nothing came back. `sent` is False when the request surely did not reach Harbor.

    `about`, for a history: the `request` (method and path, without the query, which may hold a secret) and its `cause`
    (the class of what the operating system said: ConnectionRefusedError).
    """

    def __init__(self, message: str, *, sent: bool, about: Mapping[str, str] | None = None) -> None:
        self.sent, self.about = sent, about or {}
        super().__init__(message)


class UnexpectedAnswer(AnswerError):
    """An answer came back, but not one that the API promises. `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class TypeRefused(UnexpectedAnswer):
    """A registry refuses a manifest in the way of one that does not know its type."""


class WrongContent(AnswerError):
    """What came is not what its digest says."""


class StoreRefused(AnswerError):
    """A database or session store refused. The message never holds a password."""


class NotShown(AnswerError):
    """Harbor's page does not show in time what it should."""


class DockerRefused(AnswerError):
    """A docker daemon reports that the registry refused, or failed at, what it asked."""


class ClientRefused(AnswerError):
    """A client program reports that the registry refused, or failed at, what it asked."""
