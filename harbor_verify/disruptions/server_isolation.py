"""The server in use can no longer reach the others of its kind, and they not it: a partition, it alone on one side."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption


class ServerIsolation(ServerDisruption):
    """Proof: packets to and from it were dropped. Healed: it is back among them."""

    expected_response = "Harbor is led to another server, on the side of the majority"

    def inject(self) -> None:
        self.machine_control.isolate_server(self.server)

    def confirm(self) -> Mapping[str, Any]:
        return {"dropped_packets": self.dropped_packets()}

    def respond(self) -> Mapping[str, Any]:
        return {"successor": self.successor()}
