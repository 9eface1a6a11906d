"""The front door: the lab has no load balancer; what is exposed is reached at a port of each node."""

from urllib.parse import urlsplit

from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind
from lab.errors import LabError
from lab.given import text


def adapt(objects: list[Object], node_port: int, url: str) -> list[str]:
    """Expose the Service of Harbor's own proxy at this port, and tell Harbor that it is reached by `url` (http).

    Raises LabError where there is none.
    """
    service = _service(objects)
    specification = service["spec"]
    former = specification.get("type", "ClusterIP")
    ports = specification["ports"]
    door = next((port for port in ports if port["port"] == 80 or port.get("name") == "http"), ports[0])
    for port in ports:
        port.pop("nodePort", None)
    door["nodePort"] = node_port
    for field in (
        "clusterIP",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "externalIPs",
        "loadBalancerClass",
    ):
        specification.pop(field, None)
    specification["type"] = "NodePort"
    former_urls = {variable.value for variable in text.named(objects, "EXT_ENDPOINT")} - {url}
    for variable in text.named(objects, "EXT_ENDPOINT"):
        variable.value = url
    return [
        f"Service {service['metadata']['name']} ({former}) is reached at port {node_port} of each node",
        *(f"the front door is {url}, not {former}" for former in sorted(former_urls)),
        *(
            f"clients come by http: what is said of TLS at the front door ({former}) is not seen"
            for former in sorted(former_urls)
            if urlsplit(former).scheme == "https"
        ),
    ]


def _service(objects: list[Object]) -> Object:
    """The one that leads to Harbor's nginx."""
    proxies = [
        workload["spec"]["template"]["metadata"]["labels"]
        for workload in of_kind(objects, *WORKLOADS)
        if any(
            "nginx-photon" in each["image"] for each in workload["spec"]["template"]["spec"]["containers"][:]
        )
        and (workload["spec"]["template"]["metadata"].get("labels") or {}).get("component") == "nginx"
    ]
    for service in of_kind(objects, "Service"):
        selector = service["spec"].get("selector") or {}
        if selector and any(selector.items() <= labels.items() for labels in proxies):
            return service
    raise LabError(
        "these manifests have no nginx of Harbor's: the lab can carry expose.type clusterIP, nodePort and loadBalancer"
    )
