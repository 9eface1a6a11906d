"""Writing through the API at one place, and reading it back at another."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from harbor_verify.checkers.writes import READ, STALE_READ, WRITE
from harbor_verify.clients.harbor import Credentials, Harbor, Project
from harbor_verify.errors import AnswerError, TargetUnreachable
from harbor_verify.history import Operation, Outcome, Recorder
from harbor_verify.workloads.work import Result, Work, perform


class ProjectWrite(Work):
    """Makes a project of its own public, private, public, … at one place; each acknowledged write is read back at
    another, each in turn. Nobody else writes it, so that whatever is read is right or old.
    """

    kind = WRITE
    writes = True

    def __init__(
        self,
        writer: Harbor,
        readers: Sequence[Harbor],
        project: Project,
        credentials: Credentials,
        *,
        client: str | None = None,
    ) -> None:
        """`writer` and `readers` are for this work alone: a thread of its own uses them."""
        super().__init__(writer.name, client=client, uid=writer.uid)
        self.project = project
        self._writer, self._credentials = writer, credentials
        self._readers = cycle(readers)
        self._reader = readers[0]
        self._public = False

    def begin(self) -> Mapping[str, Any]:
        self._public = not self._public
        self._reader = next(self._readers)
        return {"project": self.project.name, "public": self._public, "reader": self._reader.name}

    def do(self) -> Result:
        self._writer.set_public(self.project, self._public, self._credentials)
        try:
            is_public = self._reader.is_public(self.project, self._credentials)
        except (AnswerError, TargetUnreachable) as error:
            # It was acknowledged, but nobody could look: that the reader does not answer is its own client's to tell.
            return Result(Outcome.INFO, value={"acknowledged": True}, error=type(error).__name__)
        if is_public is not self._public:
            return Result(Outcome.FAIL, value={"acknowledged": True}, status=200, error=STALE_READ)
        return Result(value={"acknowledged": True}, status=200)


class _Read(Work):
    kind = READ
    writes = False

    def __init__(self, harbor: Harbor, project: Project, credentials: Credentials) -> None:
        super().__init__(harbor.name, client=f"{READ}@{harbor.name}", uid=harbor.uid)
        self._harbor, self._project, self._credentials = harbor, project, credentials

    def begin(self) -> Mapping[str, Any]:
        return {"project": self._project.name}

    def do(self) -> Result:
        public = self._harbor.is_public(self._project, self._credentials)
        return Result(value={"public": public}, status=200)


def read_everywhere(
    recorder: Recorder,
    harbors: Sequence[Harbor],
    project: Project,
    credentials: Credentials,
    *,
    tries: int = 3,
) -> list[Operation]:
    """After the heal: read the project at each of `harbors`, up to `tries` times until it answers.

    Returns the last operation of each; `no_stale_read` judges the history.
    """
    last = []
    for harbor in harbors:
        read = _Read(harbor, project, credentials)
        for _ in range(tries):
            done = perform(read, recorder)
            if done.ok:
                break
        last.append(done)
    return last
