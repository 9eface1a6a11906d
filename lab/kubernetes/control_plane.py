"""etcd, the API server, the controller manager and the scheduler, on the machine `control`."""

import socket

from lab import settings
from lab.command import run
from lab.kubernetes import certificates
from lab.machines.daemons import Daemon
from lab.machines.topology import CONTROL
from lab.programs.toolchain import program

_CERTIFICATE, _KEY = certificates.certificate_files("kube-apiserver")
_KUBELET_CERTIFICATE, _KUBELET_KEY = certificates.certificate_files("kubelet-client")

ETCD = Daemon(
    "etcd",
    CONTROL,
    (
        "etcd",
        f"--data-dir={CONTROL.folder / 'etcd'}",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # a lab survives the loss of its programs, not of its machine
    ),
)
API_SERVER = Daemon(
    "kube-apiserver",
    CONTROL,
    (
        program("kube-apiserver"),
        "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={settings.CONTROL}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={settings.SERVICE_RANGE}",
        f"--tls-cert-file={_CERTIFICATE}",
        f"--tls-private-key-file={_KEY}",
        f"--client-ca-file={certificates.AUTHORITY}",
        f"--service-account-key-file={certificates.SERVICE_ACCOUNTS}",
        f"--service-account-signing-key-file={certificates.SERVICE_ACCOUNTS}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={_KUBELET_CERTIFICATE}",
        f"--kubelet-client-key={_KUBELET_KEY}",
        # Node names do not resolve here: exec, logs and port-forward go to the address.
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        "--watch-cache=true",
    ),
)
CONTROLLER_MANAGER = Daemon(
    "kube-controller-manager",
    CONTROL,
    (
        program("kube-controller-manager"),
        f"--kubeconfig={certificates.kubeconfig('kube-controller-manager')}",
        f"--service-account-private-key-file={certificates.SERVICE_ACCOUNTS}",
        f"--root-ca-file={certificates.AUTHORITY}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        # Less than half of the default, and looked at each second: so long do Services lead to the pods of a lost node
        # (docs/hardening.md).
        "--node-monitor-grace-period=18s",
        "--node-monitor-period=1s",
    ),
)
SCHEDULER = Daemon(
    "kube-scheduler",
    CONTROL,
    (
        program("kube-scheduler"),
        f"--kubeconfig={certificates.kubeconfig('kube-scheduler')}",
        "--leader-elect=false",
    ),
)


def ensure() -> None:
    """Start the control plane unless it runs, and wait until all of it answers."""
    certificates.ensure()
    ETCD.start()
    API_SERVER.ensure(lambda: kubectl("get", "--raw=/readyz"), deadline_s=90, interval_s=0.3)
    # These two end when they find no API server, so they come after it.
    CONTROLLER_MANAGER.start()
    SCHEDULER.start()
    CONTROLLER_MANAGER.ensure(lambda: _connect(10257))
    SCHEDULER.ensure(lambda: _connect(10259))


def _connect(port: int) -> None:
    socket.create_connection((settings.CONTROL, port), timeout=2).close()


def kubectl(*argv: str, input: str | None = None, timeout_s: float = 60) -> str:
    """Run kubectl as the lab's administrator and return its output; raises CommandFailed."""
    return run(
        [str(program("kubectl")), f"--kubeconfig={settings.KUBECONFIG}", *argv],
        input=input,
        timeout_s=timeout_s,
    )
