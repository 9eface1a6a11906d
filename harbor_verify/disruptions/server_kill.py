"""The server in use dies, and another has to take over: a Redis primary, a Galera node, a PostgreSQL primary."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption
from harbor_verify.waiting import NotYet


class ServerKill(ServerDisruption):
    """Proof: the kernel no longer has its process. Healed: the one that was killed is back, as whatever it is now."""

    expected_response = "another server takes over"

    def inject(self) -> None:
        self.machine_control.kill_server(self.server)

    def confirm(self) -> Mapping[str, Any]:
        def dead() -> int:
            process, state = self.machine_control.process_of(self.server)
            if process == self._process and state != "Z":
                raise NotYet(f"{self.server} is still process {process}")
            return process

        return {"process": self.wait("without the one it was led to", dead)}

    def respond(self) -> Mapping[str, Any]:
        return {"successor": self.successor()}
