"""What disruptions of a server outside Kubernetes have in common, whatever it serves."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from harbor_verify.disruptions.base import Disruption
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.errors import CannotTell, MachineControlFailed
from harbor_verify.history import Recorder
from harbor_verify.waiting import NotYet, wait_until

T = TypeVar("T")


class ServerDisruption(Disruption):
    """Done to the server that Harbor is led to at that moment. Healed: all servers of its kind are well again."""

    def __init__(
        self,
        kind: str,
        recorder: Recorder,
        machine_control: MachineControl,
        what: str,
        *,
        timeout_s: float = 120,
    ) -> None:
        """`what` is one of harbor_verify/disruptions/machine_control.py: database, session store, …"""
        super().__init__(recorder, f"{kind} {what}")
        self.machine_control, self.what, self._timeout_s = machine_control, what, timeout_s
        self._server, self._process = "", 0

    def prepare(self) -> Mapping[str, Any]:
        self._server = self.machine_control.serving(self.what)
        self._process, _ = self.machine_control.process_of(self._server)
        return {"server": self._server, "process": self._process}

    @property
    def server(self) -> str:
        """The one it is done to. Raises CannotTell when it was not prepared."""
        if not self._server:
            raise CannotTell(f"{self.name} was not prepared")
        return self._server

    def restore(self) -> None:
        self.machine_control.mend(self.what)

    def release(self) -> None:
        """There is nothing to let go of."""

    def successor(self) -> str:
        """Wait until Harbor is led to another server, and name it. Raises DeadlinePassed."""

        def other_server() -> str:
            try:
                now = self.machine_control.serving(self.what)
            except MachineControlFailed as nobody:
                raise NotYet(str(nobody)) from nobody
            if now == self.server:
                raise NotYet(f"it is still led to {now}")
            return now

        return self.wait("led to another server", other_server)

    def dropped_packets(self) -> int:
        """Wait until packets to and from it were dropped; how many. Raises DeadlinePassed."""

        def dropped() -> int:
            if not (packets := self.machine_control.dropped_packets(self.server)):
                raise NotYet("no packet was dropped")
            return packets

        return self.wait("cut off", dropped)

    def wait(self, what: str, probe: Callable[[], T]) -> T:
        """Wait until the probe comes true; `what` ends the sentence "Harbor is …". Raises DeadlinePassed."""
        return wait_until(
            f"for its {self.what} Harbor is {what}",
            probe,
            deadline="converge_timeout_s",
            timeout_s=self._timeout_s,
            interval_s=0.1,
        )
