"""What a program waits for before it starts."""

import socket
import time
from urllib.parse import urlsplit

from .. import log

WAIT_S = 60
INTERVAL_S = 2


def wait_for(host: str, port: int) -> None:
    """Try to connect every 2 s, for 60 s at most. Raises TimeoutError with the text that Harbor logs."""
    deadline = time.monotonic() + WAIT_S
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            socket.create_connection((host, port), timeout=left_s).close()
            return
        except OSError as failure:
            log.error(
                f"failed to connect to tcp://{host}:{port}, retry after {INTERVAL_S} seconds :{failure}"
            )
            time.sleep(max(0, min(INTERVAL_S, deadline - time.monotonic())))
    raise TimeoutError(f"failed to connect to tcp:{host}:{port} after {WAIT_S} seconds")


def host_and_port(url: str) -> tuple[str, int]:
    """Of an http or https URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
