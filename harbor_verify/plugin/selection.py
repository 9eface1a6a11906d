"""Choosing checks by their ids: `--check sessions.stored-in-redis`, `--check 'storage.*'`, again and again."""

import difflib
from fnmatch import fnmatchcase

import pytest

from harbor_verify.checks import check_of, every


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every check that no pattern fits. Raises UsageError for a pattern that fits none."""
    patterns = config.option.check
    if not patterns:
        return
    ids = {item: check.id if (check := check_of(item)) else "" for item in items}
    for pattern in patterns:
        if not any(fnmatchcase(id, pattern) for id in ids.values()):
            nearest = difflib.get_close_matches(pattern, every(), n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise pytest.UsageError(f"--check {pattern}: there is no such check among those collected{hint}")
    chosen = [item for item in items if any(fnmatchcase(ids[item], pattern) for pattern in patterns)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
