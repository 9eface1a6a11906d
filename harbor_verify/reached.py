"""A Harbor for the length of a command beside the suites."""

from collections.abc import Iterator
from contextlib import contextmanager

from harbor_verify import known_secrets, providers
from harbor_verify.redaction import Redaction
from harbor_verify.settings import Settings
from harbor_verify.target import Target, reach


@contextmanager
def reached(settings: Settings, redaction: Redaction) -> Iterator[Target]:
    """The Harbor of these settings; its secrets are learnt first. Raises TargetUnreachable, SettingsError."""
    target = reach(providers.provide(settings), settings)
    try:
        redaction.learn(*known_secrets.of_credentials(target.credentials))
        known_secrets.learn(redaction, target.deployment)
        yield target
    finally:
        target.close()
