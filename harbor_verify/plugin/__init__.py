"""The pytest plugin: options, the run from its beginning to its end, needs, outcomes, progress.

It is loaded by the root conftest.py in a checkout, and by the entry point of the installed package elsewhere: whoever
has loaded it under this name first, it is loaded once. With it come the pytest fixtures (`fixtures/`), which the
installed package carries inside itself.
"""

import importlib.util

import pytest

pytest.register_assert_rewrite("harbor_verify.verdict")

_HOOKS = ("options", "selection", "run", "needs", "preflight", "evidence", "outcome", "progress")
_FIXTURES = ("target", "belongings", "images", "builds", "clients", "conformance", "pods", "failover")
_FOLDER = "harbor_verify.fixtures" if importlib.util.find_spec("harbor_verify.fixtures") else "fixtures"

pytest_plugins = [f"{__name__}.{name}" for name in _HOOKS] + [f"{_FOLDER}.{name}" for name in _FIXTURES]
