"""The server in use dies, and another has to take over: a Redis primary, a Galera node, a PostgreSQL primary."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption


class ServerKill(ServerDisruption):
    """Proof: Harbor is led to another. Healed: the one that was killed is back, as whatever it is now."""

    def inject(self) -> None:
        self.machine_control.kill_server(self.server)

    def confirm(self) -> Mapping[str, Any]:
        return {"successor": self.successor()}
