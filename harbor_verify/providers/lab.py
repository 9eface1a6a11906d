"""A Harbor of its own on this machine. The lab is imported only when it is asked for."""

import importlib.util
from collections.abc import Callable
from typing import Any

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import connect
from harbor_verify.errors import HandsFailed, SettingsError, TargetUnreachable
from harbor_verify.providers import Access
from harbor_verify.settings import Settings, flag

_OF_ANOTHER_TARGET = ("kubeconfig", "context", "harbor_url", "docker_host")


def provide(settings: Settings) -> Access:
    """Stand the lab up, or mend it, and connect. Raises SettingsError, and TargetUnreachable with what the lab said."""
    contrary = [flag(name) for name in _OF_ANOTHER_TARGET if getattr(settings, name) is not None]
    if contrary:
        raise SettingsError(
            f"--lab brings its own cluster; {', '.join(contrary)} (or their variables) speak of another"
        )
    if importlib.util.find_spec("lab") is None:
        raise SettingsError(
            "--lab: the lab comes with a checkout of this project, not with the installed package"
        )
    from lab import cluster, errors, hands

    try:
        target = cluster.up(settings.profile)
    except errors.LabError as failed:
        raise TargetUnreachable(f"the lab cannot be stood up: {failed}") from failed
    return Access(
        provider="lab",
        kubernetes=connect(target.kubeconfig, None, timeouts_s=settings.timeouts_s),
        namespace=target.namespace,
        url=target.harbor_url.rstrip("/"),
        credentials=Credentials("admin", target.admin_password),
        docker_host=target.docker_host,
        may_disrupt=True,
        hands=_Careful(hands.Hands(target.database), errors.LabError),
    )


class _Careful:
    """The lab's hands, whose failures are told as the suite's own."""

    def __init__(self, hands: object, failure: type[Exception]) -> None:
        self._hands, self._failure = hands, failure

    def __getattr__(self, name: str) -> Callable[..., Any]:
        do = getattr(self._hands, name)

        def carefully(*words: Any) -> Any:
            try:
                return do(*words)
            except (self._failure, OSError) as failed:
                told = ", ".join(map(str, words))
                raise HandsFailed(f"{name.replace('_', ' ')} ({told}): {failed}") from failed

        return carefully
