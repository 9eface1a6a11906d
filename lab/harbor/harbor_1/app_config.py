"""app.conf, beego's configuration file of the ui and the jobservice."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AppConfig:
    """What of it counts here; the defaults are beego's and hold when the file is not there."""

    address: str = ""
    port: int = 8080
    compresses: bool = False
    indents: bool = True


def load(path: Path) -> AppConfig:
    """Read `path`. The section named like the run mode goes before what stands at the top."""
    sections = _sections(path.read_text()) if path.exists() else {"": {}}
    mode = os.environ.get("BEEGO_RUNMODE") or sections[""].get("runmode", "dev")
    values = sections[""] | sections.get(mode, {})
    return AppConfig(
        address=values.get("httpaddr", ""),
        port=int(values.get("httpport", AppConfig.port)),
        compresses=values.get("enablegzip") == "true",
        indents=mode != "prod",
    )


def _sections(text: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {"": {}}
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip().lower()
        elif line and line[0] not in "#;":
            key, _, value = line.partition("=")
            sections.setdefault(section, {})[key.strip().lower()] = value.strip().strip('"')
    return sections
