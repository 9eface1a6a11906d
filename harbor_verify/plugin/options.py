"""The flags: one for each setting, made from the settings themselves."""

import os
from argparse import SUPPRESS
from collections.abc import Callable, Collection
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from harbor_verify import presets
from harbor_verify.presets import Preset
from harbor_verify.settings import FILE, FILE_SETTING, PREFIX, SECRETS, Settings, flag, load

TITLE = (
    # A title, which argparse does not wrap.
    "Harbor: what to verify, and how\n"
    f"(each flag can also be a variable, {PREFIX}NAMESPACE=…,\n"
    f'or a line of {FILE}, namespace = "…";\n'
    "flags win over variables, variables over the file)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser.getgroup("harbor", TITLE).addoption)


def add_options(add: Callable[..., Any]) -> None:
    """Add every flag to a group of options, of pytest's or argparse's: `add` is what takes one."""
    add_choices(add)
    add_settings(add)


def add_choices(add: Callable[..., Any]) -> None:
    """The flags that choose what a run does; the rest are settings."""
    add(
        "--check",
        action="append",
        default=[],
        metavar="ID",
        help="only this check; * stands for anything ('storage.*'), and the flag may be given several times "
        "(docs/checks.md lists all)",
    )
    add(
        "--preflight",
        action="store_true",
        help="only tell what the checks need, what of it is missing, and which checks that costs; verify nothing",
    )
    for preset in presets.ALL:
        add(flag(preset.name), action="append_const", dest="preset", const=preset, help=preset.help)


def add_settings(add: Callable[..., Any], only: Collection[str] | None = None) -> None:
    """A flag for each setting, and for the file that they may stand in; `only`: for these, by their names."""

    for name, field in Settings.model_fields.items():
        if only is not None and name not in only:
            continue
        if name in SECRETS:
            # Taken, so that it is refused without being told: whoever does not know it would repeat it.
            add(flag(name), dest=name, default=None, help=SUPPRESS)
        elif field.annotation is bool:
            add(flag(name), dest=name, action="store_true", default=None, help=field.description)
        else:
            help = f"{field.description}{_default(field)}"
            add(flag(name), dest=name, default=None, metavar=_unit(name), help=help)
    if only is None or FILE_SETTING in only:
        help = f"settings file (default: {FILE})"
        add(flag(FILE_SETTING), dest=FILE_SETTING, default=None, metavar="FILE", help=help)


def settings_of(config: pytest.Config) -> Settings:
    """The settings of this pytest run. Raises SettingsError."""
    given = given_of(lambda name: config.getoption(name, None))
    if config.getini("strict"):
        # pytest has a --strict of its own, so that it cannot be a flag of this suite's; who says it means both.
        given["strict_advice"] = True
    preset = preset_of(config)
    return load(given, os.environ, config.invocation_params.dir, preset=preset.settings if preset else {})


def given_of(value_of: Callable[[str], Any]) -> dict[str, Any]:
    """The settings that were given as flags, by name; `value_of` says what a flag has, None: it was not given."""
    names = (*Settings.model_fields, FILE_SETTING)
    return {name: value for name in names if (value := value_of(name)) is not None}


def preset_of(config: pytest.Config) -> Preset | None:
    """What the run is for, where that was said. Raises UsageError for several at once."""
    given: list[Preset] = config.getoption("preset", None) or []
    if len(set(names := [preset.name for preset in given])) > 1:
        raise pytest.UsageError(f"one of {', '.join(map(flag, names))}: a run is for one thing")
    return given[0] if given else None


def _unit(name: str) -> str:
    units = {
        "_per_s": "N",
        "_s": "SECONDS",
        "_ms": "MS",
        "_file": "FILE",
        "_dir": "FOLDER",
        "_url": "URL",
        "_endpoint": "URL",
    }
    units |= {
        "_address": "HOST:PORT",
        "_host": "URL",
        "kubeconfig": "FILE",
        "max_duration": "SECONDS",
        "browser": "FILE",
        "_budget": "N",
    }
    return next(
        (unit for ending, unit in units.items() if name.endswith(ending)), name.rpartition("_")[2].upper()
    )


def _default(field: FieldInfo) -> str:
    return f" (default: {field.default})" if field.default is not None else ""
