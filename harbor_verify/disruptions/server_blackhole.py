"""Packets to and from the server in use vanish: nobody refuses, connections that are open stay, new ones never open."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.server import ServerDisruption
from harbor_verify.history import Recorder


class ServerBlackhole(ServerDisruption):
    """Proof: packets to and from it were dropped. Healed: packets pass again, and all are well.

    It lasts until another server has taken over, and for `lasts_s` seconds at least: whoever began to open a connection
    before that is still at it then, and has been told of the other meanwhile. This is when a client that keeps to the
    server which is back can be seen.
    """

    usual_s: float = 6
    """For so long packets vanish unless told, if another server takes over sooner."""
    expected_response = "another server takes over"

    def __init__(
        self,
        kind: str,
        recorder: Recorder,
        machine_control: MachineControl,
        what: str,
        *,
        lasts_s: float = usual_s,
        timeout_s: float = 120,
    ) -> None:
        super().__init__(kind, recorder, machine_control, what, timeout_s=timeout_s)
        self.lasting = Lasting(lasts_s)

    def inject(self) -> None:
        self.machine_control.swallow_packets(self.server)

    def confirm(self) -> Mapping[str, Any]:
        return {"dropped_packets": self.dropped_packets()}

    def respond(self) -> Mapping[str, Any]:
        return {"successor": self.successor()}
