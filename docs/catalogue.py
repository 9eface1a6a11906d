"""Writes docs/checks.md from the checks themselves: `make docs`."""

import importlib.util
import inspect
import sys
from itertools import groupby
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FILE = REPOSITORY / "docs" / "checks.md"
sys.path.insert(0, str(REPOSITORY))

from harbor_verify import checks  # noqa: E402  the repository has to be importable first
from harbor_verify.profiles import ALL  # noqa: E402

HEAD = """# The checks

<!-- Written by `make docs` from the checks themselves; edits here are lost. -->

Each check is one statement about Harbor that holds or not.
The ids are stable: reports, settings and other tools may rely on them.
"""


def catalogue() -> str:
    """The text of docs/checks.md: every check of suites/ by area, with its claim, hint, needs and source.

    Hints are in the words of each generation of Harbor that the check applies to, once where these are the same.
    """
    parts = [HEAD]
    for area, members in groupby(checks_of_suites(), key=lambda check: check.area):
        parts.append(f"\n## {area}\n")
        for check in members:
            parts.append(f"\n### `{check.id}`\n{check.claim}\n")
            if check.severity is checks.SHOULD:
                parts.append("\nAdvice: Harbor can be highly available without it.\n")
            parts.append("\n")
            by_profile = hints(check)
            for name, hint in by_profile.items():
                where = f" ({name})" if len(set(by_profile.values())) > 1 else ""
                parts.append(f"- When it fails{where}: {hint}\n")
                if not where:
                    break
            if check.requires:
                parts.append(f"- Only where Harbor has: {', '.join(map(str, check.requires))}.\n")
            if check.needs:
                parts.append(f"- Needs: {', '.join(checks.NEEDS[need] for need in check.needs)}.\n")
            if check.builds_on:
                parts.append(f"- Explained by: {', '.join(f'`{id}`' for id in check.builds_on)}.\n")
            parts.append(f"- Source: {check.source}\n")
    return "".join(parts)


def hints(check: checks.Check) -> dict[str, str]:
    """The check's hint by the name of each profile that it applies to, the newest first."""
    profiles = sorted(ALL, key=lambda profile: profile.name, reverse=True)
    return {each.name: each.words.fill(check.hint) for each in profiles if not check.lacking(each.present)}


def checks_of_suites() -> list[checks.Check]:
    """Every check of suites/, in alphabetical order of their ids."""
    for file in sorted((REPOSITORY / "suites").rglob("test_*.py")):
        name = "catalogued_" + "_".join(file.relative_to(REPOSITORY).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where inspect looks for the source of what is in it
        spec.loader.exec_module(module)
        assert inspect.getdoc(module), f"{file} does not say what its theme is"
    return list(checks.every().values())


if __name__ == "__main__":
    FILE.write_text(catalogue())
