"""Whom a program trusts that verifies certificates: the system's authorities, and those that operators have given it.

Of the latter are all certificates below /harbor_cust_cert (the chart: caBundleSecretName), as they are when a program
starts.
"""

import tempfile
from functools import cache
from pathlib import Path

_GIVEN = Path("/harbor_cust_cert")
_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")


@cache
def file() -> str:
    """A file with all of them, PEM."""
    given = [each.read_text() for each in sorted(_GIVEN.glob("*")) if each.suffix in (".crt", ".pem", ".ca")]
    system = [_SYSTEM.read_text()] if _SYSTEM.exists() else []
    with tempfile.NamedTemporaryFile("w", suffix=".crt", delete=False) as bundle:
        bundle.write("\n".join(system + given))
    return bundle.name
