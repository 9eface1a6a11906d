"""All servers of a kind end at once and come back, as after a power cut: what was acknowledged has to be on disk."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.server import ServerDisruption
from harbor_verify.waiting import NotYet


class ServersRestart(ServerDisruption):
    """Proof: the kernel no longer has any of their processes. Healed: they are started, and all are well."""

    def prepare(self) -> Mapping[str, Any]:
        about = super().prepare()
        self._processes = {
            server: self.machine_control.process_of(server)[0]
            for server in self.machine_control.servers(self.what)
        }
        return {**about, "processes": self._processes}

    def inject(self) -> None:
        for server in self._processes:
            self.machine_control.kill_server(server)

    def confirm(self) -> Mapping[str, Any]:
        def dead() -> list[str]:
            for server, process in self._processes.items():
                now, state = self.machine_control.process_of(server)
                if now == process and state != "Z":
                    raise NotYet(f"{server} is still process {process}")
            return sorted(self._processes)

        return {"ended": self.wait("without any server", dead)}
