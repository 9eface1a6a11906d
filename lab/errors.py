"""What can go wrong in the lab.

LabError
├── UnfitMachine      this machine cannot carry the lab; connect to a cluster instead
├── CommandFailed     a program ended with an error; carries what to paste to run it again
├── DaemonDied        a program that should go on running ended; carries the end of its log
├── NotReady          a deadline passed; carries what was last seen
├── Busy              another lab command is at work
├── UnknownDefect     no defect has that name; carries the names that there are
├── UnknownProfile    the lab carries no such generation of Harbor
├── AlreadyPlanted    another defect is in the lab
└── Interrupted       the user pressed Ctrl-C
"""

import difflib
import shlex
from collections.abc import Iterable, Sequence


class LabError(Exception):
    """The lab could not do what it was asked; the message says what was tried and what came back."""


class UnfitMachine(LabError):
    """This machine cannot carry the lab."""


class CommandFailed(LabError):
    """A program ended with an exit code other than 0."""

    def __init__(self, argv: Sequence[str], exit_code: int, output: str) -> None:
        self.argv, self.exit_code, self.output = tuple(argv), exit_code, output
        tail = "\n".join(output.strip().splitlines()[-30:]) or "(it printed nothing)"
        super().__init__(f"exit code {exit_code} from: {shlex.join(argv)}\n{tail}")


class DaemonDied(LabError):
    """A program that should go on running has ended."""


class NotReady(LabError):
    """Something did not become so before its deadline."""


class Busy(LabError):
    """Another command is changing the lab."""


class UnknownDefect(LabError):
    """There is no defect of that name."""


class WrongLayout(LabError):
    """A defect is about another layout than the one that is there."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that is none of the `known`: what it is the name of, the nearest, and all there are."""
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"there is no {what}.{hint} There are: {', '.join(names) or 'none'}"


class UnknownLayout(LabError):
    """The lab knows no such way of deploying Harbor."""


class UnknownProfile(LabError):
    """The lab carries no such generation of Harbor."""


class AlreadyPlanted(LabError):
    """Another defect is in the lab."""


class Interrupted(LabError):
    """The user wants the lab to stop what it is doing."""
