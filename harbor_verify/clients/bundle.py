"""Whom HTTP clients trust: the public authorities, and those of a file beside them.

Behind a front door with a private authority images are often in a cloud's bucket, which has a public one.
"""

import functools
import tempfile
from pathlib import Path
from typing import IO

from requests.utils import DEFAULT_CA_BUNDLE_PATH


def beside_the_public(ca_file: Path) -> str:
    """A file (PEM) with the public authorities and those of `ca_file`, which goes with this process. Raises OSError."""
    return _bundle(ca_file).name


@functools.cache
def _bundle(ca_file: Path) -> IO[bytes]:
    """Open as long as the process runs: it is removed when it is closed."""
    bundle = tempfile.NamedTemporaryFile(prefix="harbor-verify-", suffix=".pem")  # noqa: SIM115
    bundle.write(Path(DEFAULT_CA_BUNDLE_PATH).read_bytes() + b"\n" + ca_file.read_bytes())
    bundle.flush()
    return bundle
