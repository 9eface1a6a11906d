"""The distilled recordings in recordings/, and the recordings of the real programs that they are made of.

One file a topic:

    source: login.json      the recording
    shape: true             of JSON only the form counts (as it does under faults)
    exchanges:
      - name: bad password  the name of the exchange in the recording
        to: ui1
        request: POST /login
        body: principal=admin&password=wrong
        status: 401
        cookies: [new session]
        slow: true

In a request, {NAME} stands for the session that the exchange NAME was given, {login:USER} for one that USER has
just logged in with.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.comparison import Exchange
from tests.contract.harbor_1 import exchanges

FOLDER = Path(__file__).parent / "recordings"
ORIGINALS = Path(__file__).parents[4] / "shared" / "contract" / "harbor-1.2.0"
_SESSION = re.compile(r"beegosessionID=([0-9a-f]{32})")


@cache
def topic(name: str) -> dict[str, Any]:
    """A file of recordings/, by its name without the suffix."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def topics() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def section(name: str, prefix: str = "") -> list[Exchange]:
    """The exchanges of a topic whose names begin with `prefix`, in their order."""
    found = [exchange for exchange in topic(name)["exchanges"] if exchange["name"].startswith(prefix)]
    assert found, f"no exchange of {name} is called {prefix}…"
    return found


def distilled(source: str, wanted: str, *, shape: bool) -> Exchange:
    """The exchange `wanted` of a recording, in the form that recordings/ has it."""
    recording = _original(source)
    (found,) = [each for each in recording if each["name"] == wanted]
    request, response = found["request"], found["response"]
    sessions = _sessions(recording)

    def replaced(text: str) -> str:
        for session in _SESSION.findall(text):
            if session in sessions:
                text = text.replace(session, f"{{{sessions[session]}}}")
        return text

    headers = {
        name: replaced(value)
        for name, value in (request.get("headers") or {}).items()
        if name not in ("Content-Length", "Host")
    }
    body = request.get("body")
    exchange = exchanges.asked(request["method"], replaced(request["path"]), headers, body or None)
    pairs = [(name, value) for name, value in response["headers"]]
    answer = exchanges.answered(response["status"], pairs, response["body"] or "", found["elapsed_ms"] / 1000)
    return {"name": wanted, "to": found["to"]} | exchange | (exchanges.shape(answer) if shape else answer)


@cache
def _original(source: str) -> list[dict[str, Any]]:
    return json.loads((ORIGINALS / source).read_text())["exchanges"]


def _sessions(recording: list[dict[str, Any]]) -> dict[str, str]:
    """Which exchange a session was made in."""
    made = {}
    for exchange in recording:
        for name, value in (exchange["response"] or {}).get("headers") or []:
            if name == "Set-Cookie" and (session := _SESSION.match(value)):
                made[session[1]] = exchange["name"]
    return made
