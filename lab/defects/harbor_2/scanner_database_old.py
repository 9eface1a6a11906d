"""A scanner whose database of vulnerabilities nobody has brought up to date for months."""

import json
import sys
from urllib.request import urlopen

from lab import settings
from lab.defects import Defect, Lab
from lab.machines.daemons import Daemon
from lab.machines.topology import OUTSIDE

_PORT = 8089
_URL = f"http://{settings.LOAD_BALANCER}:{_PORT}"
_FOLDER = OUTSIDE.folder / "scanner"
_SCANNER = Daemon(
    "scanner",
    OUTSIDE,
    (
        sys.executable,
        "-m",
        "http.server",
        str(_PORT),
        "--bind",
        settings.LOAD_BALANCER,
        "--directory",
        _FOLDER,
    ),
)
"""Of a scanner what it says of itself, and no more."""
_TOLD = {
    "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "lab"},
    "properties": {"harbor.scanner-adapter/vulnerability-database-updated-at": "2024-01-31T06:12:24Z"},
}


def _plant(lab: Lab) -> None:
    _heal(lab)
    metadata = _FOLDER / "api" / "v1" / "metadata"
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text(json.dumps(_TOLD))
    _SCANNER.ensure(lambda: urlopen(f"{_URL}/api/v1/metadata", timeout=3).close())
    lab.sql(
        f"""INSERT INTO scanner_registration (uuid, url, name, is_default)
            VALUES ('7a1c5d2e-0000-4000-8000-000000000001', '{_URL}', 'Trivy', true)"""
    )


def _heal(lab: Lab) -> None:
    lab.sql("DELETE FROM scanner_registration WHERE name = 'Trivy'")
    _SCANNER.stop()


DEFECT = Defect(
    report="none is known; Harbor: scanner metadata, vulnerability-database-updated-at",
    shows="images are called free of vulnerabilities that have been known for months",
    turns_red=frozenset({"scanning.database-recent"}),
    hint_says=("trivy.dbRepository",),
    plant_outside=_plant,
    heal_outside=_heal,
)
