"""A cluster of API objects on loopback: etcd, kube-apiserver and kube-controller-manager, and no node behind them.

Nodes and kubelets are objects that are written here: a pod runs because its status says so. That is all that whoever
only reads the API can see of it, so kwok, which does the same by a program of its own, would add nothing.
"""

import json
import secrets
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.programs.toolchain import program

T = TypeVar("T")
_DEADLINE_S = 60.0
_ENDS_S = 30.0
_CONTROLLERS = (
    *("deployment-controller", "replicaset-controller", "endpointslice-controller"),
    *("persistentvolume-binder-controller", "disruption-controller"),
)
_PLACES = {
    "ConfigMap": "api/v1",
    "Deployment": "apis/apps/v1",
    "Event": "api/v1",
    "Ingress": "apis/networking.k8s.io/v1",
    "Namespace": "api/v1",
    "Node": "api/v1",
    "PersistentVolume": "api/v1",
    "PersistentVolumeClaim": "api/v1",
    "Pod": "api/v1",
    "PodDisruptionBudget": "apis/policy/v1",
    "Secret": "api/v1",
    "Service": "api/v1",
}
_OF_NO_NAMESPACE = ("Namespace", "Node", "PersistentVolume")
_THREADS = 4


class ControlPlane:
    """The API as an administrator. `kubeconfig` is for whoever is measured."""

    def __init__(self, port: int, folder: Path, token: str) -> None:
        self.server = f"https://127.0.0.1:{port}"
        self.kubeconfig = folder / "kubeconfig"
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            port,
            maxsize=_THREADS,
            retries=False,
            ca_certs=str(folder / "certificates" / "apiserver.crt"),
            headers={"Authorization": f"Bearer {token}"},
        )
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "it",
                    "clusters": [
                        {
                            "name": "it",
                            "cluster": {
                                "server": self.server,
                                "certificate-authority": str(folder / "certificates" / "apiserver.crt"),
                            },
                        }
                    ],
                    "users": [{"name": "it", "user": {"token": token}}],
                    "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                }
            )
        )
        self.kubeconfig.chmod(0o600)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """JSON of an answer. Raises OSError, with what the API server said, for anything but success."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body)
        answer = self._pool.request(
            method, f"/{path}", body=data, headers={**self._pool.headers, "Content-Type": kind}
        )
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {answer.data.decode()[:500]}")
        return json.loads(answer.data) if answer.data[:1] == b"{" else answer.data

    def make(self, body: Mapping[str, Any]) -> None:
        """An object, with its status where it has one. Raises OSError."""
        kind, metadata = body["kind"], body["metadata"]
        place = _PLACES[kind]
        resource = "ingresses" if kind == "Ingress" else f"{kind.lower()}s"
        where = "" if kind in _OF_NO_NAMESPACE else f"/namespaces/{metadata['namespace']}"
        whole = {"apiVersion": place.partition("/")[2], **body}
        self.ask("POST", f"{place}{where}/{resource}", whole)
        if "status" in body:
            status = {"status": body["status"]}
            self.ask("PATCH", f"{place}{where}/{resource}/{metadata['name']}/status", status)

    def make_all(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Several at once. Raises OSError."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(self.make, bodies):
                pass

    def run_pods(self, namespace: str, wanted: int, nodes: list[str]) -> None:
        """Bind the pods that controllers make there to nodes, in turn, and let them be Ready, until `wanted` are.

        Raises TimeoutError.
        """

        def run() -> bool:
            pods = self.ask("GET", f"api/v1/namespaces/{namespace}/pods")["items"]
            for number, pod in enumerate(pods):
                name = pod["metadata"]["name"]
                path = f"api/v1/namespaces/{namespace}/pods/{name}"
                if "nodeName" not in pod["spec"]:
                    target = {"kind": "Node", "name": nodes[number % len(nodes)]}
                    self.ask("POST", f"{path}/binding", {"metadata": {"name": name}, "target": target})
                    address = f"10.0.{number // 250}.{number % 250 + 1}"
                    self.ask("PATCH", f"{path}/status", {"status": running(pod["spec"], address)})
            return len(pods) >= wanted and all("nodeName" in pod["spec"] for pod in pods)

        _until(f"{wanted} pods run in {namespace}", run)

    def until(self, what: str, path: str, is_so: Callable[[Any], bool]) -> None:
        """Wait for an answer that fits. Raises TimeoutError."""
        _until(what, lambda: is_so(self.ask("GET", path)))


def running(spec: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The status of a pod whose containers all run and are Ready."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": at,
        "conditions": [
            {"type": each, "status": "True", "lastTransitionTime": at}
            for each in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [
            {
                "name": each["name"],
                "image": each["image"],
                "imageID": "x",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": at}},
            }
            for each in spec["containers"]
        ],
    }


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """One that keeps its state in `folder`, and ends with this. Raises FileNotFoundError where a program is missing
    (`python -m lab prepare` compiles them), TimeoutError.
    """
    etcd = shutil.which("etcd")
    missing = [str(each) for each in _PROGRAMS if not each.exists()] + ([] if etcd else ["etcd"])
    if missing:
        raise FileNotFoundError(f"not there: {', '.join(missing)}; `python -m lab prepare` brings them")
    token, ports = secrets.token_hex(), _free_ports(4)
    store, peers, port, manager = ports
    accounts = folder / "accounts.key"
    accounts.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "tokens").write_text(f"{token},admin,admin,system:masters\n")
    certificates = folder / "certificates"
    programs: list[subprocess.Popen[bytes]] = []

    def start(*argv: str) -> None:
        with (folder / f"{Path(argv[0]).name}.log").open("wb") as log:
            programs.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    try:
        start(
            etcd or "",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            "--unsafe-no-fsync",
        )
        start(
            str(program("kube-apiserver")),
            f"--etcd-servers=http://127.0.0.1:{store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={certificates}",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=AlwaysAllow",
            f"--token-auth-file={folder / 'tokens'}",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
        )
        _until("the API server has its certificate", (certificates / "apiserver.crt").exists)
        cluster = ControlPlane(port, folder, token)
        _until("the API server answers", lambda: bool(cluster.ask("GET", "readyz")))
        start(
            str(program("kube-controller-manager")),
            f"--kubeconfig={cluster.kubeconfig}",
            f"--service-account-private-key-file={accounts}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={manager}",
            f"--cert-dir={certificates}",
            f"--controllers={','.join(_CONTROLLERS)}",
        )
        yield cluster
    except TimeoutError as late:
        ends = [f"{file.name}: {file.read_text()[-500:]}" for file in sorted(folder.glob("*.log"))]
        raise TimeoutError("\n".join([str(late), *ends])) from late
    finally:
        for each in reversed(programs):
            each.terminate()
        for each in reversed(programs):
            try:
                each.wait(_ENDS_S)
            except subprocess.TimeoutExpired:
                each.kill()


_PROGRAMS = (program("kube-apiserver"), program("kube-controller-manager"))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _until(what: str, is_so: Callable[[], bool]) -> None:
    """Raises TimeoutError with what was seen last."""
    ends_s, last = time.monotonic() + _DEADLINE_S, ""
    while time.monotonic() < ends_s:
        try:
            if is_so():
                return
        except (OSError, ssl.SSLError, urllib3.exceptions.HTTPError) as not_yet:
            last = f"; {not_yet}"
        time.sleep(0.2)
    raise TimeoutError(f"{what}: not within {_DEADLINE_S:g} s{last}")
