"""The Kubernetes nodes: containerd, kubelet and kube-proxy on a machine of their own each."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from lab import profiles, settings
from lab.errors import CommandFailed
from lab.kubernetes import certificates
from lab.kubernetes.control_plane import kubectl
from lab.machines import cgroups
from lab.machines.daemons import Daemon
from lab.machines.machine import Machine
from lab.machines.topology import NODES
from lab.programs.toolchain import program
from lab.waiting import NotYet

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""The same path on each node: every node has a /run of its own."""
PAUSE_IMAGE = "harbor-lab/pause:1"
_PODS = "/var/lib/kubelet/pods/"
"""Below it: UID/volumes/PLUGIN/VOLUME."""
_CONNECTION_TRACKING = (
    "net.netfilter.nf_conntrack_tcp_timeout_syn_sent=10",
    "net.netfilter.nf_conntrack_tcp_timeout_fin_wait=30",
)
"""A Service's choice of a pod holds as long as the node remembers the connection, 120 s else, also if the pod's node is
lost: who happens to use the same port again meanwhile, minutes later, is led to where nobody is."""
_OF_PODS = {"net.ipv4.tcp_retries2": "4"}
"""What a pod sends on a connection that it kept to a pod of a lost node is tried again for 6 s, not for 15 minutes."""


@dataclass(frozen=True)
class Node:
    """One Kubernetes node and its three programs."""

    machine: Machine

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def address(self) -> str:
        return settings.NODES[self.name]

    @cached_property
    def containerd(self) -> Daemon:
        return Daemon("containerd", self.machine, ("containerd", "--config", self._file("containerd.toml")))

    @cached_property
    def kubelet(self) -> Daemon:
        return Daemon(
            "kubelet",
            self.machine,
            (
                program("kubelet"),
                f"--config={self._file('kubelet.yaml')}",
                f"--kubeconfig={certificates.kubeconfig(self.name)}",
                f"--hostname-override={self.name}",
                f"--node-ip={self.address}",
            ),
        )

    @cached_property
    def kube_proxy(self) -> Daemon:
        return Daemon(
            "kube-proxy",
            self.machine,
            (
                program("kube-proxy"),
                f"--kubeconfig={certificates.kubeconfig('kube-proxy')}",
                f"--hostname-override={self.name}",
                "--proxy-mode=iptables",
                f"--cluster-cidr={settings.POD_RANGE}",
                "--conntrack-max-per-core=0",  # the limit belongs to the real machine
                "--iptables-min-sync-period=100ms",
            ),
        )

    def ensure_runtime(self) -> None:
        """Start containerd unless it runs, and wait until it answers."""
        self._write_configuration()
        self.containerd.ensure(lambda: self.ctr("version"), deadline_s=30)

    def trust_registry(self, url: str, authority: Path) -> None:
        """Let containerd pull from the registry at an https URL whose certificate this authority (PEM) has signed.

        Read at each pull, so nothing is restarted.
        """
        host = self._file("registries") / url.removeprefix("https://")
        host.mkdir(parents=True, exist_ok=True)
        (host / "hosts.toml").write_text(_REGISTRY_HOST.format(url=url) + f'  ca = "{authority}"\n')

    def ensure_joined(self) -> None:
        """Start kubelet and kube-proxy unless they run, and wait until the node is Ready."""
        self.machine.run("sysctl", "-qw", *_CONNECTION_TRACKING)
        self.kubelet.start()
        self.kube_proxy.start()

        def ready() -> None:
            node = json.loads(kubectl("get", "node", self.name, "--output=json"))
            condition = next((c for c in node["status"]["conditions"] if c["type"] == "Ready"), None)
            if not condition or condition["status"] != "True":
                raise NotYet(condition["message"] if condition else "no Ready condition")

        self.kubelet.ensure(ready, deadline_s=60, interval_s=0.3)

    def pods_with_dead_volumes(self) -> set[str]:
        """The uids of pods whose CephFS volume no program serves any more.

        The kubelet does not notice that a ceph-fuse has died, and restarts containers into the dead volume for
        ever; only another pod gets a new mount.
        """
        dead = set()
        for place in self._volumes():
            try:
                self.machine.run("timeout", "20", "stat", "--file-system", place)
            except CommandFailed:
                dead.add(Path(place).relative_to(_PODS).parts[0])
        return dead

    def mounts(self, volume: str) -> list[str]:
        """Where a PersistentVolume of CephFS is mounted for pods."""
        return [place for place in self._volumes() if Path(place).name == volume]

    def _volumes(self) -> list[str]:
        """Where CephFS is mounted for pods."""
        lines = Path(f"/proc/{self.machine.holder()}/mounts").read_text().splitlines()
        mounts = [line.split()[1:3] for line in lines]
        return [place for place, kind in mounts if kind == "fuse.ceph-fuse" and place.startswith(_PODS)]

    def ctr(self, *argv: str, input: str | None = None, timeout_s: float = 120) -> str:
        """Run containerd's client in the namespace that the kubelet uses."""
        return self.machine.run(
            "ctr",
            f"--address={CONTAINERD_SOCKET}",
            "--namespace=k8s.io",
            *argv,
            input=input,
            timeout_s=timeout_s,
        )

    def _file(self, name: str) -> Path:
        return self.machine.folder / name

    def _write_configuration(self) -> None:
        network = self._file("cni")
        network.mkdir(parents=True, exist_ok=True)
        (network / "10-harbor-lab.conflist").write_text(json.dumps(_pod_network(self.name)))
        registries = self._file("registries")
        for profile in profiles.ALL.values():
            host = registries / profile.url.removeprefix("http://")
            host.mkdir(parents=True, exist_ok=True)
            (host / "hosts.toml").write_text(_REGISTRY_HOST.format(url=profile.url))
        self._file("containerd.toml").write_text(
            _CONTAINERD.format(network=network, pause=PAUSE_IMAGE, registries=registries)
        )
        self._file("resolv.conf").write_text("# pods ask the cluster's DNS only: the lab has no route out\n")
        self._file("kubelet.yaml").write_text(yaml.safe_dump(self._kubelet_configuration()))

    def _kubelet_configuration(self) -> dict:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(certificates.AUTHORITY)},
            },
            "authorization": {"mode": "Webhook"},
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "clusterDNS": [settings.CLUSTER_DNS],
            "clusterDomain": "cluster.local",
            "resolvConf": str(self._file("resolv.conf")),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroups.ROOT}/{self.name}",
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            # Three nodes share one disk: percentages of it say nothing about a node. Images that went could not
            # be pulled again.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            # Short, so that what the lab waits for is Harbor and not the kubelet's cache.
            "syncFrequency": "10s",
            # A sign of life every 4 s, as the control plane waits for 18 s only.
            "nodeLeaseDurationSeconds": 16,
            "configMapAndSecretChangeDetectionStrategy": "Watch",
        }


def _pod_network(node: str) -> dict:
    return {
        "cniVersion": "1.0.0",
        "name": "harbor-lab",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": settings.pod_subnet(node)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
            {"type": "tuning", "sysctl": _OF_PODS},
        ],
    }


# Without restrict_oom_score_adj every sandbox dies on machines whose root lacks CAP_SYS_RESOURCE.
_CONTAINERD = """
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{network}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registries}"
"""
# The lab's Harbor speaks plain HTTP, as the reference deployment does (layouts may not); containerd has to be told for
# each host.
_REGISTRY_HOST = """
server = "{url}"
[host."{url}"]
  capabilities = ["pull", "resolve"]
"""

ALL = {name: Node(machine) for name, machine in NODES.items()}
