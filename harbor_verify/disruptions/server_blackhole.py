"""Packets to and from the server in use vanish: nobody refuses, connections that are open stay, new ones never open."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption


class ServerBlackhole(ServerDisruption):
    """Proof: packets to and from it were dropped. Healed: packets pass again, and all are well."""

    expected_response = "another server takes over"

    def inject(self) -> None:
        self.machine_control.swallow_packets(self.server)

    def confirm(self) -> Mapping[str, Any]:
        return {"dropped_packets": self.dropped_packets()}

    def respond(self) -> Mapping[str, Any]:
        return {"successor": self.successor()}
