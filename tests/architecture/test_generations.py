"""What one generation of Harbor calls things stands in its profile and nowhere else (docs/architecture.md)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ("suites", "fixtures", "harbor_verify")
PROFILES = REPOSITORY / "harbor_verify" / "profiles"
OWN_WORDS = re.compile(
    r"Harbor [12]\b"
    r"|harbor-1\.2|harbor-2|harbor_1_2|harbor_2"
    r"|\bui\b|\bui-(?:\d|rc|apps)|\badminserver|\bportal\b|\bregistryctl\b|\bbeego"
    r"|harbor-(?:core|ui|portal|jobservice|nginx)\b|harbor_user"
    r"|_REDIS_URL|MYSQL_|POSTGRESQL_|UI_SECRET"
    r"|/api/v2\.0|/c/login"
)
"""Versions, and what parts, settings and tables are called in one generation, or paths of its API."""


def offences(name: str, text: str) -> Iterator[str]:
    """`file:line: word in the line` for each word of one generation's own in a text."""
    for number, line in enumerate(text.splitlines(), start=1):
        for found in OWN_WORDS.finditer(line):
            yield f"{name}:{number}: {found[0]!r} in: {line.strip()}"


def sources(part: str) -> list[Path]:
    return [file for file in sorted((REPOSITORY / part).rglob("*.py")) if PROFILES not in file.parents]


@pytest.mark.parametrize("part", PARTS)
def test_nothing_outside_the_profiles_names_what_one_generation_calls_things(part):
    wrong = [
        offence
        for file in sources(part)
        for offence in offences(str(file.relative_to(REPOSITORY)), file.read_text())
    ]
    assert sources(part), f"{part}/ has no sources: this test looks in the wrong place"
    assert not wrong, "say it by role, or in harbor_verify/profiles/:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "planted",
    [
        'source="Harbor 1.2: GET /log_out"',
        "# as Harbor 2.x does",
        'if profile.name == "harbor-1.2":',
        'if profile.name.startswith("harbor-2"):',
        "from harbor_verify.profiles.harbor_2 import PROFILE",
        "delete the ui pods",
        '"""ui-0; for messages"""',
        'workload.name.removesuffix("-rc") == "ui-rc"',
        "the adminservers agree",
        "the portal's page",
        "compare its `_REDIS_URL` with the others'",
        'environment["_REDIS_URL_CORE"]',
        'environment["MYSQL_HOST"]',
        'environment.get("POSTGRESQL_PORT")',
        "SELECT 1 FROM harbor_user",
        "COOKIE = 'beegosessionID'",
        "images=('harbor-core',)",
        "the log of registryctl",
        'http.get("/api/v2.0/health")',
    ],
)
def test_a_planted_word_is_found_with_its_line(planted):
    assert list(offences("x.py", f"sound\n{planted}\n"))
    assert all(offence.startswith("x.py:2: ") for offence in offences("x.py", f"sound\n{planted}\n"))


@pytest.mark.parametrize(
    "sound",
    ["build a guide", "a fluid ui_state", "import Harbor", "the core of it", "portability", "harbor-verify"],
)
def test_a_sound_line_is_left_alone(sound):
    assert not list(offences("x.py", sound))


def test_only_discovery_imports_the_profiles():
    users = {
        str(file.relative_to(REPOSITORY))
        for part in PARTS
        for file in sources(part)
        if re.search(r"^\s*(?:from|import) harbor_verify\.profiles", file.read_text(), re.MULTILINE)
    }
    assert users == {"harbor_verify/model/discovery.py"}
