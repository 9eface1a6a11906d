"""The distilled recordings in recordings/, and the recordings of the real programs that they are made of.

One file a topic; those of 2.15 are in a folder of their own, and their names begin with it: 2.15/csrf.

    source: login.json      the recording, of 2.12; ../harbor-2.15/login.json is one of 2.15
    shape: true             of JSON only the form counts (as it does where values differ)
    exchanges:
      - name: login good    the name of the exchange in the recording
        to: core-a
        request: POST /c/login
        cookie: sid={fetch token by GET systeminfo without sid}; _gorilla_csrf={csrf}
        csrf: '{token}'
        body: principal=admin&password=Harbor12345
        status: 200
        cookies: [new sid]

Run as a program, it writes a topic's file anew: `python -m tests.contract.harbor_2.recordings TOPIC SOURCE [--shape]
[--only PATTERN] [--without PATTERN]`.
"""

import argparse
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.comparison import Exchange
from tests.contract.harbor_2 import exchanges

FOLDER = Path(__file__).parent / "recordings"
ORIGINALS = Path(__file__).parents[4] / "shared" / "contract" / "harbor-2.12"
_SESSION = re.compile(r"sid=([0-9a-f]{32})")


@cache
def topic(name: str) -> dict[str, Any]:
    """A file of recordings/, by its name without the suffix."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def topics() -> list[str]:
    return sorted(str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.rglob("*.yaml"))


def section(name: str, prefix: str = "", *, without: str = "") -> list[Exchange]:
    """The exchanges of a topic whose names begin with `prefix`, in their order; not those that match `without`."""
    found = [
        exchange
        for exchange in topic(name)["exchanges"]
        if exchange["name"].startswith(prefix) and not (without and re.search(without, exchange["name"]))
    ]
    assert found, f"no exchange of {name} is called {prefix}…"
    return found


def distilled(source: str, wanted: str, *, shape: bool = False) -> Exchange:
    """The exchange `wanted` of a recording, in the form that recordings/ has it."""
    recording = _original(source)
    (found,) = [each for each in recording if each["name"] == wanted]
    request, response = found["request"], found["response"]
    headers = [(name, value) for name, value in request["headers"] or []]
    exchange = exchanges.asked(
        request["method"], request["path"], headers, request.get("body"), _sessions(source)
    )
    pairs = [(name, value) for name, value in response["headers"]]
    answer = exchanges.answered(response["status"], pairs, response["body"] or "", found["elapsed_ms"] / 1000)
    return {"name": wanted, "to": found["to"]} | exchange | (exchanges.shape(answer) if shape else answer)


def names(source: str) -> list[str]:
    """Of the exchanges of a recording that were answered, and not by what stands before Harbor."""
    return [
        each["name"]
        for each in _original(source)
        if each.get("request") and each["response"].get("status") and each["to"] != "front"
    ]


@cache
def _original(source: str) -> list[dict[str, Any]]:
    return json.loads((ORIGINALS / source).read_text())["exchanges"]


@cache
def _sessions(source: str) -> dict[str, str]:
    """Which exchange a session was given in."""
    given = {}
    for exchange in _original(source):
        for name, value in (exchange.get("response") or {}).get("headers") or []:
            if name == "Set-Cookie" and (session := _SESSION.match(value)):
                given[session[1]] = exchange["name"]
    return given


def _write() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("topic")
    parser.add_argument("source")
    parser.add_argument("--shape", action="store_true")
    parser.add_argument("--only", default="", help="names that match this pattern")
    parser.add_argument("--without", default="", help="no names that match this pattern")
    asked = parser.parse_args()
    wanted = [name for name in names(asked.source) if re.search(asked.only, name)]
    if asked.without:
        wanted = [name for name in wanted if not re.search(asked.without, name)]
    content = {
        "source": asked.source,
        **({"shape": True} if asked.shape else {}),
        "exchanges": [distilled(asked.source, name, shape=asked.shape) for name in wanted],
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    file = FOLDER / f"{asked.topic}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


if __name__ == "__main__":
    _write()
