"""Loads the pytest side of the suite (fixtures/plugin/) for suites and tests alike."""

import pytest

from fixtures.plugin import MODULES

pytest.register_assert_rewrite("fixtures.verdict")

pytest_plugins = [f"fixtures.plugin.{module}" for module in MODULES]
