"""Which machines the lab has."""

from lab import settings
from lab.machines.machine import Machine

CONTROL = Machine(
    "control",
    (settings.CONTROL,),
    routes={settings.pod_subnet(node): address for node, address in settings.NODES.items()},
)
"""etcd, the API server, the controller manager, the scheduler; and the bridge that joins all machines."""

NODES = {
    name: Machine(
        name,
        (address,),
        own_folders=(
            "/var/lib/kubelet",
            "/var/lib/containerd",
            "/var/lib/cni",
            "/var/log/pods",
            "/var/log/containers",
        ),
        routes={settings.pod_subnet(other): via for other, via in settings.NODES.items() if other != name},
    )
    for name, address in settings.NODES.items()
}
"""Kubernetes nodes: containerd, kubelet, kube-proxy."""

OUTSIDE = Machine(
    "outside",
    (
        settings.CEPH,
        *settings.GALERA.values(),
        *settings.POSTGRESQL.values(),
        settings.PATRONI_ETCD,
        *settings.REDIS.values(),
        settings.LOAD_BALANCER,
    ),
)
"""What the reference deployments keep outside Kubernetes: Ceph, Galera, PostgreSQL, Redis, HAProxy."""

CERTIFICATES = "/etc/docker/certs.d"
"""Where a docker daemon looks for the authorities of registries; it cannot be told of another place."""
CLIENT = Machine("client", (settings.DOCKER_CLIENT,), own_folders=("/var/lib/docker", CERTIFICATES))
"""A machine with a docker daemon, as the users of a registry have one."""

ALL = (CONTROL, OUTSIDE, *NODES.values(), CLIENT)
