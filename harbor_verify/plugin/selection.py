"""Choosing checks: by what the run is for (`--gate`), and by their ids (`--check 'storage.*'`, again and again)."""

import difflib
from fnmatch import fnmatchcase

import pytest

from harbor_verify.checks import check_of, every
from harbor_verify.plugin.options import preset_of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every check that the preset has not, or that no pattern fits.

    Raises UsageError for two presets, and for a pattern that fits none.
    """
    if preset := preset_of(config):
        _keep(
            config,
            items,
            [item for item in items if preset.has(_id(item), [m.name for m in item.iter_markers()])],
        )
    patterns = config.option.check
    if not patterns:
        return
    ids = {item: _id(item) for item in items}
    for pattern in patterns:
        if not any(fnmatchcase(id, pattern) for id in ids.values()):
            nearest = difflib.get_close_matches(pattern, every(), n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise pytest.UsageError(f"--check {pattern}: there is no such check among those collected{hint}")
    _keep(config, items, [item for item in items if any(fnmatchcase(ids[item], each) for each in patterns)])


def _id(item: pytest.Item) -> str:
    return check.id if (check := check_of(item)) else ""


def _keep(config: pytest.Config, items: list[pytest.Item], chosen: list[pytest.Item]) -> None:
    kept = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = chosen
