"""A Harbor of its own on this machine. The lab is imported only when it is asked for."""

import importlib.util
from collections.abc import Callable
from typing import Any

from harbor_verify.builds.bases import Bases
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import connect
from harbor_verify.errors import MachineControlFailed, NeedMissing, SettingsError, TargetUnreachable
from harbor_verify.providers import Access
from harbor_verify.settings import Settings, flag

_OF_ANOTHER_TARGET = ("kubeconfig", "context", "harbor_url", "docker_host")


def provide(settings: Settings) -> Access:
    """Stand the lab up, or mend it, unless it is wanted as it is, and connect. Raises SettingsError, and
    TargetUnreachable with what the lab said.
    """
    contrary = [flag(name) for name in _OF_ANOTHER_TARGET if getattr(settings, name) is not None]
    if contrary:
        raise SettingsError(
            f"--lab brings its own cluster; {', '.join(contrary)} (or their variables) speak of another"
        )
    if importlib.util.find_spec("lab") is None:
        raise SettingsError(
            "--lab: the lab comes with a checkout of this project, not with the installed package"
        )
    from lab import cluster, errors, machine_control

    try:
        target = (cluster.target if settings.lab_as_it_is else cluster.up)(settings.profile)
    except errors.LabError as failed:
        failure = "is not there as it is" if settings.lab_as_it_is else "cannot be stood up"
        raise TargetUnreachable(f"the lab {failure}: {failed}") from failed
    return Access(
        provider="lab",
        kubernetes=connect(target.kubeconfig, None, timeouts_s=settings.timeouts_s),
        namespace=target.namespace,
        url=target.harbor_url.rstrip("/"),
        credentials=Credentials("admin", target.admin_password),
        docker_host=target.docker_host,
        may_disrupt=True,
        bases=_bases,
        remarks=target.remarks,
        settings=target.suite_settings,
        machine_control=_LabMachineControl(machine_control.MachineControl(target.database), errors.LabError),
    )


def _bases() -> Bases:
    """Raises NeedMissing with what the lab said."""
    from lab import errors
    from lab.deployment import bases

    try:
        made = bases.ensure()
    except (errors.LabError, OSError) as failed:
        raise NeedMissing(f"the lab cannot make the images to build on: {failed}") from failed
    return Bases(made.builder, made.distribution, made.small, are_disposable=True)


class _LabMachineControl:
    """The lab's control of its machines; its failures are raised as the suite's own MachineControlFailed."""

    def __init__(self, machine_control: object, failure: type[Exception]) -> None:
        self._machine_control, self._failure = machine_control, failure

    def __getattr__(self, name: str) -> Callable[..., Any]:
        do = getattr(self._machine_control, name)

        def translated(*arguments: Any) -> Any:
            try:
                return do(*arguments)
            except (self._failure, OSError) as failed:
                arguments_text = ", ".join(map(str, arguments))
                raise MachineControlFailed(
                    f"{name.replace('_', ' ')} ({arguments_text}): {failed}"
                ) from failed

        return translated
