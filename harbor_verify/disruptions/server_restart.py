"""The server in use is ended in good order and started at once, as an update of its machine does it."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption
from harbor_verify.waiting import NotYet


class ServerRestart(ServerDisruption):
    """Proof: it runs as another process. Healed: all are well."""

    def inject(self) -> None:
        self.machine_control.restart_server(self.server)

    def confirm(self) -> Mapping[str, Any]:
        def another() -> int:
            process, _ = self.machine_control.process_of(self.server)
            if process in (0, self._process):
                raise NotYet(f"{self.server} is process {process or 'none'}")
            return process

        return {"process": self.wait("served by another process", another)}
