"""Whoever runs jobs dies in the middle of one."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from harbor_verify.clients.capabilities import RunsJobs
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.machine_control import DATABASE, MachineControl
from harbor_verify.disruptions.workload import WorkloadDisruption
from harbor_verify.errors import AnswerError, CannotTell
from harbor_verify.history import Recorder
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.waiting import NotYet

_HELD_UP_S = 1.0
"""Long enough for a job to be taken; too short for a database to be given up."""
_TRIES = 3
_ENDED = ("Success", "Error", "Stopped")


class _Finds(Protocol):
    def __call__(self) -> list[Replica]: ...


class JobKill(WorkloadDisruption):
    """A job is started, and held up by a database that hangs for a second; then the programs of all replicas that run
    jobs are killed at once, and the database goes on.

    Proof: the kernel has none of their processes any more, and Harbor's API says that the job has not ended. Healed:
    the workload is whole again.
    """

    expected_response = "the job is taken up again, and ends in success"

    def __init__(
        self,
        kubernetes: Kubernetes,
        recorder: Recorder,
        workload: Workload,
        machine_control: MachineControl,
        harbor: RunsJobs,
        credentials: Credentials,
        replicas: _Finds,
        *,
        timeout_s: float = 120,
    ) -> None:
        """`replicas` finds those that run jobs; `credentials` are an administrator's."""
        super().__init__("job-kill", kubernetes, recorder, workload, timeout_s=timeout_s)
        self._machine_control, self._harbor, self._credentials = machine_control, harbor, credentials
        self._replicas = replicas
        self._job = 0
        self._killed: list[tuple[str, str]] = []

    def inject(self) -> None:
        self._killed = [_container(replica) for replica in self._replicas()]
        database = self._machine_control.serving(DATABASE)
        self._job = self._harbor.start_harmless_job(self._credentials)
        try:
            self._machine_control.pause_server(database)
            time.sleep(_HELD_UP_S)
            for node, container in self._killed:
                self._machine_control.kill_container(node, container)
        finally:
            self._machine_control.resume_server(database)

    def confirm(self) -> Mapping[str, Any]:
        for left in reversed(range(_TRIES)):
            self.wait("seen to have lost its processes", self._require_dead)
            status = self.wait("answering for its jobs", self._status)
            if status not in _ENDED:
                return {"job": self._job, "status": status, "killed": len(self._killed)}
            if left:
                # It was quicker than the hand that was to hold it up.
                self.wait("whole again, to be killed once more", self.require_whole)
                self.inject()
        raise CannotTell(f"each of {_TRIES} jobs had ended when those who ran them were killed")

    def respond(self) -> Mapping[str, Any]:
        def ended() -> str:
            if (status := self._status()) != "Success":
                raise NotYet(f"job {self._job} is {status}")
            return status

        return {"status": self.wait("running the job again", ended)}

    def restore(self) -> None:
        with suppress(CannotTell):
            self._machine_control.mend(DATABASE)
        super().restore()

    def _require_dead(self) -> None:
        alive = [
            container
            for each in self._killed
            if self._machine_control.is_running(*each)
            for container in each
        ]
        if alive:
            raise NotYet(f"still running: {', '.join(alive)}")

    def _status(self) -> str:
        try:
            return self._harbor.job_status(self._job, self._credentials)
        except AnswerError as nobody:
            raise NotYet(str(nobody)) from nobody


def _container(replica: Replica) -> tuple[str, str]:
    """(node, id) of the container that plays the role. Raises CannotTell."""
    for status in replica.pod.status.container_statuses or ():
        if status.name == replica.container.name and status.container_id:
            return replica.pod.spec.node_name, status.container_id.rpartition("/")[2]
    raise CannotTell(f"pod {replica.pod_name} tells of no running container for its role")
