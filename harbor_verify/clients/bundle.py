"""Whom HTTP clients trust: the authorities that this side trusts as it is, and those of a file beside them.

Behind a front door with a private authority images are often in a cloud's bucket, which has a public one.
"""

import atexit
import functools
import tempfile
from pathlib import Path

from harbor_verify.clients.certificates import system_authorities


def trusted(ca_file: Path | None) -> Path:
    """A file (PEM) with the machine's authorities and those of `ca_file`; it goes with this process. Raises OSError."""
    return _bundle(ca_file) if ca_file else system_authorities()


@functools.cache
def _bundle(ca_file: Path) -> Path:
    with tempfile.NamedTemporaryFile(prefix="harbor-verify-", suffix=".pem", delete=False) as bundle:
        atexit.register(Path(bundle.name).unlink, missing_ok=True)
        bundle.write(system_authorities().read_bytes() + b"\n" + ca_file.read_bytes())
    return Path(bundle.name)
