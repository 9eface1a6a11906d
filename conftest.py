"""Loads the pytest side of the suite for suites and tests alike."""

pytest_plugins = ["harbor_verify.plugin"]
