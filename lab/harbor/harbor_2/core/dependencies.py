"""What core waits for before it starts."""

import socket
import time

from ... import log

INTERVAL_S = 2.0


def wait_for(host: str, port: int, wait_s: float) -> None:
    """Try to connect every 2 s, for `wait_s` at most. Raises TimeoutError with the text that Harbor logs."""
    deadline_s = time.monotonic() + wait_s
    while (left_s := deadline_s - time.monotonic()) > 0:
        try:
            socket.create_connection((host, port), timeout=left_s).close()
            return
        except OSError as failure:
            log.error(
                f"failed to connect to tcp://{host}:{port}, retry after {INTERVAL_S:.0f} seconds :{failure}"
            )
            time.sleep(max(0.0, min(INTERVAL_S, deadline_s - time.monotonic())))
    raise TimeoutError(f"failed to connect to tcp:{host}:{port} after {wait_s:.0f} seconds")
