"""How a target comes to be: `existing` connects to one, `lab` stands one up. The rest cannot tell which it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harbor_verify.builds.bases import Bases
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.errors import SettingsError, TargetUnreachable
from harbor_verify.settings import Settings


@dataclass(frozen=True)
class Access:
    """All that is needed to reach a Harbor.

    `url` has no slash at its end; None: not said, it is what Harbor's own settings name. `docker_host` None: the
    environment's.
    """

    provider: str
    kubernetes: Kubernetes
    namespace: str
    url: str | None
    credentials: Credentials
    docker_host: str | None
    may_disrupt: bool
    bases: Callable[[], Bases] | None = None
    """Brings images that builds begin with to the docker daemon; None: settings name them."""
    machine_control: MachineControl | None = None
    """Control of the machines that this Harbor runs on; None: there is none here."""
    remarks: tuple[str, ...] = ()
    """What a reader of a report has to know of this Harbor, in sentences."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """What is to be set for this Harbor, by the names of settings: certificates to trust, a release."""


def provide(settings: Settings) -> Access:
    """Connect as the settings say. Raises SettingsError, TargetUnreachable."""
    from harbor_verify.providers import existing, lab

    if settings.lab_as_it_is and not settings.lab:
        raise SettingsError("--lab-as-it-is says how --lab is to be taken, and --lab is missing")
    return lab.provide(settings) if settings.lab else existing.provide(settings)


def require_links(access: Access) -> None:
    """Said once here, not by each check: without port-forward no replica is reached from outside the cluster."""
    kubernetes, namespace = access.kubernetes, access.namespace
    # Over a WebSocket it is a GET; newer API servers want `create` for it as well.
    denied = [
        verb
        for verb in ("get", "create")
        if not kubernetes.inside and not kubernetes.may(verb, "pods/portforward", namespace=namespace)
    ]
    if denied:
        raise TargetUnreachable(
            f"the account of the kubeconfig may not {' or '.join(denied)} pods/portforward in namespace {namespace} "
            f"at {kubernetes.server}; replicas are reached by it, one by one. Grant it, or run in a pod of the cluster."
        )
