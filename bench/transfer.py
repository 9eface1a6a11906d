"""One image to a registry and back, by the suite's own client: `python -m bench.transfer URL PROJECT MIB`.

The password is read from standard input. Prints seconds as JSON: {"push": 1.2, "pull": 0.8}.
"""

import json
import sys
import time

from harbor_verify.clients import registry_asks
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.large_content import LargeContent
from harbor_verify.clients.registry import Registry, by_password


def main(url: str, project: str, size_mib: str) -> None:
    """Push a layer that nobody has seen before, and read it back."""
    http = HttpClient("bench", url, timeouts_s=(5, 120))
    registry, repository = (
        Registry(http, by_password(Credentials("admin", sys.stdin.read()))),
        f"{project}/bench",
    )
    content = LargeContent(int(size_mib) * 2**20)
    _ = content.digest  # a client that packs an image knows it already
    begun_s = time.monotonic()
    registry_asks.push_in_pieces(registry, registry.begin_upload(repository), content)
    pushed_s = time.monotonic()
    registry_asks.stream_digest(registry, repository, content.digest)
    pulled_s = time.monotonic()
    json.dump({"push": pushed_s - begun_s, "pull": pulled_s - pushed_s}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
