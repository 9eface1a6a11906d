"""The server in use hangs: its connections stay, and nothing answers. Health checks see a refusal, but not this."""

from collections.abc import Mapping
from typing import Any

from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.server import ServerDisruption
from harbor_verify.history import Recorder
from harbor_verify.waiting import NotYet


class ServerHang(ServerDisruption):
    """Proof: the kernel calls it stopped, for `lasts_s` seconds. Healed: it goes on, and all are well.

    To show that nobody takes over it has to last longer than clients may go without answers.
    """

    def __init__(
        self,
        recorder: Recorder,
        machine_control: MachineControl,
        what: str,
        *,
        lasts_s: float,
        timeout_s: float = 120,
    ) -> None:
        super().__init__("hang", recorder, machine_control, what, timeout_s=lasts_s + timeout_s)
        self.lasting = Lasting(lasts_s)

    def inject(self) -> None:
        self.machine_control.pause_server(self.server)

    def confirm(self) -> Mapping[str, Any]:
        def lasted() -> str:
            _, state = self.machine_control.process_of(self.server)
            if state != "T":
                raise NotYet(f"the kernel calls {self.server} {state or 'gone'}")
            self.lasting.require_over()
            return state

        return {"state": self.wait("kept waiting", lasted), "lasted_s": self.lasting.lasts_s}

    def restore(self) -> None:
        self.machine_control.resume_server(self.server)
        super().restore()
